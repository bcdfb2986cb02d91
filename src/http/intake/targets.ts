import type { Gate } from '../../domain/delivery.js';
import { isId, type ExternalId, type IntegrationId, type ProviderId } from '../../domain/ids.js';
import { takesWebhooks } from '../../integrations/definition.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import type { AccountKey, IntakeTargetRow, Store } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import type { Secret } from '../../vault/secret.js';
import { decodeSecrets } from '../../vault/subscription-secrets-codec.js';
import type { Vault } from '../../vault/vault.js';
import { GroupedReads } from './grouped-reads.js';
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
/** One webhook is not to become any number of deliveries. */
export const mostPerAccount = 1_000;

/** No provider's name holds a slash. */
type AccountName = `${string}/${string}`;

/** Looks up who a webhook is for. */
export class Targets {
  private readonly byId: ShortCache<Target | null>;
  private readonly rows: GroupedReads<IntegrationId, IntakeTargetRow>;
  private readonly accounts: GroupedReads<AccountName, readonly IntegrationId[]>;

  constructor(
    store: Pick<Store, 'readIntakeTargets' | 'findIntegrationsOnAccounts'>,
    private readonly vault: Vault,
    private readonly integrations: IntegrationCatalogue,
    /** Hears of each integration that takes webhooks, as it was read. */
    private readonly onRead: (row: IntakeTargetRow) => void,
    /** Hears of an account that has more integrations than a webhook may be for, by the oldest of them. */
    private readonly onCut: (provider: ProviderId, oldest: IntegrationId) => void,
  ) {
    this.byId = new ShortCache(keepForMs, keepAtMost);
    this.rows = new GroupedReads(async ids => {
      const rows = await store.readIntakeTargets(ids);
      return new Map(rows.map(row => [row.id, row]));
    }, largestRead);
    const deaf = integrations.list().filter(definition => !takesWebhooks(definition));
    this.accounts = new GroupedReads(async names => {
      const found = await store.findIntegrationsOnAccounts(
        names.map(parseName),
        deaf.map(({ type }) => type),
        mostPerAccount + 1,
      );
      return new Map(found.map(row => [nameAccount(row), row.integrationIds]));
    }, largestRead);
  }

  /**
   * Null: no such integration, or its type takes no webhooks. One whose type is not defined here gets them: they are
   * held until it is, for a setting that was forgotten at a deployment is not to cost anybody's webhooks.
   */
  async find(id: string, maxAgeMs = keepForMs): Promise<Target | null> {
    if (!isId('integration', id)) return null;
    return this.byId.get(id, () => this.read(id), maxAgeMs);
  }

  /** Call it after a change of what a target holds: the next look reads. */
  forget(id: IntegrationId): void {
    this.byId.forget(id);
  }

  /**
   * The integrations on this account, whoever's they are, as they are at the time of the call: the provider sends a
   * webhook once, and one for an integration that was created a moment ago must find it.
   */
  async findByAccount(provider: ProviderId, externalId: ExternalId): Promise<readonly IntegrationId[]> {
    const ids = (await this.accounts.read(nameAccount({ provider, externalId }))) ?? [];
    const [oldest] = ids;
    if (ids.length <= mostPerAccount || oldest === undefined) return ids;
    this.onCut(provider, oldest);
    return ids.slice(0, mostPerAccount);
  }

  private async read(id: IntegrationId): Promise<Target | null> {
    const readAt = Date.now();
    const row = await this.rows.read(id);
    if (row === null) return null;
    const definition = this.integrations.find(row.type);
    if (definition !== null && !takesWebhooks(definition)) return null;
    this.onRead(row);
    const { providers, sealedSecrets } = row;
    return {
      id,
      gate: gateOf(this.integrations, row),
      providers: new Set<string>(providers),
      secrets:
        sealedSecrets === null ? [] : decodeSecrets(this.vault.open(sealedSecrets, subscriptionSecretsBinding(id))),
      readAt,
    };
  }
}

const nameAccount = ({ provider, externalId }: AccountKey): AccountName => `${provider}/${externalId}`;

function parseName(name: AccountName): AccountKey {
  const end = name.indexOf('/');
  return { provider: name.slice(0, end) as ProviderId, externalId: name.slice(end + 1) as ExternalId };
}
