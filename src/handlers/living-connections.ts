import { openTokens } from '../credentials/open-tokens.js';
import { judgeStanding } from '../domain/credential-standing.js';
import type { EntityId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';
import type { TokenSet } from '../providers/definition.js';
import type { Credential, Store } from '../store/port/store.js';
import type { Vault } from '../vault/vault.js';

/** An entity's credential, opened: living, or one whose token may live on though this product's client is rejected. */
export interface LivingConnection {
  readonly credential: Credential;
  readonly tokens: TokenSet;
}

export interface LivingConnections {
  /**
   * As it stood at most two seconds ago: a token that was replaced since is refused and then read anew.
   *
   * @throws RelinkError `entity_not_usable`, `credential_dead`, `secret_unreadable`.
   */
  find(entityId: EntityId): Promise<LivingConnection>;
  /** As it stands now, for after a refusal. Throws as `find` does. */
  read(entityId: EntityId): Promise<LivingConnection>;
}

const keptForMs = 2_000;
const maxKept = 1_000;

/**
 * Spares a handler's request its reads: two of them would cost several times what the request itself does. What is kept
 * is bounded in time and number, and only what is alive.
 */
export function createLivingConnections(
  { store, vault }: { readonly store: Pick<Store, 'getEntity' | 'getCredential'>; readonly vault: Vault },
  now: () => number = Date.now,
): LivingConnections {
  const kept = new Map<EntityId, { readonly connection: LivingConnection; readonly until: number }>();

  async function read(entityId: EntityId): Promise<LivingConnection> {
    kept.delete(entityId);
    const entity = await store.getEntity(entityId);
    if (entity === null) throw new RelinkError('entity_not_usable', entityId);
    const credential = await store.getCredential(entity.credentialId);
    if (credential === null || judgeStanding(credential) === 'dead') {
      throw new RelinkError('credential_dead', entity.credentialId);
    }
    const tokens = openTokens(vault, credential);
    for (const oldest of kept.keys()) {
      if (kept.size < maxKept) break;
      kept.delete(oldest);
    }
    kept.set(entityId, { connection: { credential, tokens }, until: now() + keptForMs });
    return { credential, tokens };
  }

  return {
    read,
    async find(entityId) {
      const known = kept.get(entityId);
      return known !== undefined && now() < known.until ? known.connection : await read(entityId);
    },
  };
}
