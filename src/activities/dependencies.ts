import type { ClientFaults } from '../credentials/create-client-faults.js';
import type { ProviderBreakers } from '../credentials/provider-breakers.js';
import type { CredentialRefresher } from '../credentials/credential-refresher.js';
import type { RunningWork } from '../credentials/running-work.js';
import type { HandlerHost, HandlerServices } from '../handlers/handler-host.js';
import type { IntegrationCatalogue } from '../integrations/load-integrations.js';
import type { Log } from '../log.js';
import type { ProviderCatalogue } from '../providers/load-providers.js';
import type { Integration, Store } from '../store/port/store.js';
import type { WorkflowStarter } from '../temporal/workflow-starter.js';
import type { Vault } from '../vault/vault.js';

/** What a running handler may ask for in the name of its integration. */
export interface HandlerRequests {
  servicesFor(integration: Integration, signal: AbortSignal): HandlerServices;
}

/** What activities are built over: the ports, a clock, and the settings that decide about time. */
export interface ActivityDependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: ProviderCatalogue;
  readonly integrations: IntegrationCatalogue;
  readonly workflows: WorkflowStarter;
  readonly handlers: HandlerHost;
  readonly requests: HandlerRequests;
  readonly refresher: CredentialRefresher;
  /** Refreshes that this process carries out; its end waits for them. */
  readonly refreshes: RunningWork;
  readonly breakers: ProviderBreakers;
  readonly clientFaults: ClientFaults;
  readonly log: Log;
  readonly now: () => Date;
  readonly settings: {
    /** What was written this long ago and has not moved since was not started. Milliseconds. */
    readonly sweepAfterMs: number;
    readonly sessionRetentionMs: number;
    readonly sweepIntervalMs: number;
    /** What a token request may take. Milliseconds. */
    readonly refreshTimeoutMs: number;
    /** What browsers and providers reach: webhook addresses are built on it. */
    readonly publicUrl: URL;
    /** Held deliveries older than this, and the oldest beyond this many per integration, fall out. */
    readonly heldForMs: number;
    readonly heldLimit: number;
    readonly deliveryRetentionMs: number;
    /** How long it is known who was handed a token. */
    readonly tokenReadRetentionMs: number;
  };
}
