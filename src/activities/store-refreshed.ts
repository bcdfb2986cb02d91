import { setTimeout as delay } from 'node:timers/promises';
import { RelinkError } from '../errors.js';
import { catalogue } from '../providers/catalogue/index.js';
import type { TokenSet } from '../providers/definition.js';
import { planRefresh } from '../providers/plan-refresh.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';

const firstDelayMs = 50;
const longestDelayMs = 1_000;

/**
 * Writes what a refresh brought. Where tokens rotate this is their only copy, so a database that is away is waited for
 * as long as this process lives: even a stopping worker goes on until it is ended. A write that is repeated after its
 * commit was not heard of changes nothing, because the generation has risen.
 *
 * Null from the store is an ordinary end: a reconnect came first, the credential was deleted, or died otherwise.
 */
export async function storeRefreshed(
  { store, vault, log, now }: ActivityDependencies,
  { id, provider, generation, refreshable: wasRefreshable }: Credential,
  tokens: TokenSet,
  issuedAt: Date,
): Promise<void> {
  const refreshable = tokens.refreshToken !== null || wasRefreshable;
  const { expiresAt } = tokens;
  // What a provider says of its grants does not hold for keys.
  const limits = tokens.key === undefined ? (catalogue.get(provider) ?? {}) : {};
  const write = {
    sealedTokens: vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(id)),
    refreshable,
    expiresAt,
    ...planRefresh(limits, { refreshable, expiresAt }, issuedAt, Math.random()),
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const stored = await store.compareAndSetTokens(id, generation, write, now());
      if (attempt > 0) log.info({ credentialId: id, attempt }, `The refreshed token of ${id} is stored now`);
      if (stored !== null) log.debug({ credentialId: id, generation: stored.generation }, `Refreshed ${id}`);
      return;
    } catch (error) {
      if (!(error instanceof RelinkError) || !error.retryable) throw error;
      if (attempt === 0) {
        log.warn({ credentialId: id, code: error.code }, `A refreshed token of ${id} waits for the database`);
      }
      await delay(Math.min(firstDelayMs * 2 ** Math.min(attempt, 10), longestDelayMs));
    }
  }
}
