import type { IntegrationCatalogue } from '../integrations/load-integrations.js';
import type { Log } from '../log.js';
import type { ProviderCatalogue } from '../providers/load-providers.js';
import type { Store } from '../store/port/store.js';
import type { WorkflowStarter } from '../temporal/workflow-starter.js';
import type { Vault } from '../vault/vault.js';

/** What activities are built over: the ports, a clock, and the settings that decide about time. */
export interface ActivityDependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: ProviderCatalogue;
  readonly integrations: IntegrationCatalogue;
  readonly workflows: WorkflowStarter;
  readonly log: Log;
  readonly now: () => Date;
  readonly settings: {
    /** What was written this long ago and has not moved since was not started. Milliseconds. */
    readonly sweepAfterMs: number;
    readonly sessionRetentionMs: number;
  };
}
