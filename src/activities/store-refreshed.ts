import { catalogue } from '../providers/catalogue/index.js';
import type { TokenSet } from '../providers/definition.js';
import { planRefresh } from '../providers/plan-refresh.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';
import { keepRotated } from './keep-rotated.js';
import { restoreIntegrationStatuses } from './restore-integration-statuses.js';
import { tellRecovery } from './tell-recovery.js';
import { writeUntilStored } from './write-until-stored.js';

/**
 * Writes what a refresh brought. Where tokens rotate this is their only copy. A write that is repeated after its commit
 * was not heard of changes nothing, because the generation has risen.
 *
 * Where the answer counted as lost meanwhile, and the credential as dead for that, nobody waits for this attempt any more:
 * it puts the integrations back itself.
 *
 * Null from the store is an ordinary end: a reconnect came first, the credential was deleted, or died otherwise. But a
 * reconnect that kept the refresh token which this refresh has spent gets the one that came for it: see keepRotated.
 */
export async function storeRefreshed(
  dependencies: ActivityDependencies,
  credential: Credential,
  tokens: TokenSet,
  issuedAt: Date,
): Promise<void> {
  const { store, vault, clientFaults, log, now } = dependencies;
  const { id, provider, kind, generation, refreshable: wasRefreshable } = credential;
  // Other kinds bring clients of their users'.
  if (kind === 'oauth2') clientFaults.noteAccepted(provider);
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
  const stored = await writeUntilStored(
    { log, fields: { credentialId: id }, what: `A refreshed token of ${id}` },
    async () => {
      const after = await store.compareAndSetTokens(id, generation, write, now());
      return after === null ? await keepRotated(dependencies, credential, tokens) : { before: credential, after };
    },
  );
  if (stored === null) return;
  const { before, after } = stored;
  log.debug({ credentialId: id, generation: after.generation }, `Refreshed ${id}`);
  const { epoch } = after;
  // Every epoch is one event: one in between was a verdict, which this write has taken back.
  const tookBack = epoch > before.epoch + 1;
  if (after.authIsValid && (tookBack || !before.authIsValid)) tellRecovery(dependencies, after, 'refresh');
  if (!tookBack) return;
  await writeUntilStored({ log, fields: { credentialId: id }, what: `The recovery of ${id}` }, () =>
    restoreIntegrationStatuses(dependencies)({
      sessionId: null,
      credentialId: id,
      entityId: null,
      epoch,
      optIn: false,
    }),
  );
}
