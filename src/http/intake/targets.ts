import type { Gate } from '../../domain/delivery.js';
import { isId, type ExternalId, type IntegrationId, type ProviderId } from '../../domain/ids.js';
import { takesWebhooks } from '../../integrations/definition.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import type { IntakeTargetRow, Store } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import type { Secret } from '../../vault/secret.js';
import type { Vault } from '../../vault/vault.js';
import { GroupedReads } from './grouped-reads.js';
import { parseSecrets } from './parse-secrets.js';
import { ShortCache } from './short-cache.js';

/** An integration as the intake needs it, up to a second old. What it decides alone is where to wake. */
export interface Target {
  readonly id: IntegrationId;
  readonly gate: Gate;
  readonly providers: ReadonlySet<string>;
  /** This webhook's own, newest first; empty: the provider's configured ones count. */
  readonly secrets: readonly Secret[];
  readonly readAt: number;
}

const keepForMs = 1_000;
const keepAtMost = 10_000;
/** By the store's bound. */
const largestRead = 500;
const accountPage = 100;
const mostPerAccount = 1_000;

/** Looks up who a webhook is for. */
export class Targets {
  private readonly byId: ShortCache<Target | null>;
  private readonly rows: GroupedReads<IntegrationId, IntakeTargetRow>;
  private readonly byAccount: ShortCache<readonly IntegrationId[]>;

  constructor(
    private readonly store: Store,
    private readonly vault: Vault,
    private readonly integrations: IntegrationCatalogue,
  ) {
    this.byId = new ShortCache(keepForMs, keepAtMost);
    this.byAccount = new ShortCache(keepForMs, keepAtMost);
    this.rows = new GroupedReads(async ids => {
      const rows = await store.readIntakeTargets(ids);
      return new Map(rows.map(row => [row.id, row]));
    }, largestRead);
  }

  /** Null: no such integration, or its type takes no webhooks. */
  async find(id: string, maxAgeMs = keepForMs): Promise<Target | null> {
    if (!isId('integration', id)) return null;
    return this.byId.get(id, () => this.read(id), maxAgeMs);
  }

  /** Call it after a change of what a target holds: the next look reads. */
  forget(id: IntegrationId): void {
    this.byId.forget(id);
  }

  /** The integrations on this account, whoever's they are. */
  async findByAccount(provider: ProviderId, externalId: ExternalId): Promise<readonly IntegrationId[]> {
    return this.byAccount.get(`${provider}/${externalId}`, async () => {
      const found: IntegrationId[] = [];
      let after: string | null = null;
      do {
        const page = await this.store.findIntegrationsByAccount(provider, externalId, { limit: accountPage, after });
        found.push(...page.rows.filter(row => takesWebhooks(this.integrations.find(row.type))).map(row => row.id));
        after = page.next;
      } while (after !== null && found.length < mostPerAccount);
      return found;
    });
  }

  private async read(id: IntegrationId): Promise<Target | null> {
    const readAt = Date.now();
    const row = await this.rows.read(id);
    if (row === null || !takesWebhooks(this.integrations.find(row.type))) return null;
    const { providers, sealedSecrets } = row;
    return {
      id,
      gate: gateOf(this.integrations, row),
      providers: new Set<string>(providers),
      secrets:
        sealedSecrets === null ? [] : parseSecrets(this.vault.open(sealedSecrets, subscriptionSecretsBinding(id))),
      readAt,
    };
  }
}
