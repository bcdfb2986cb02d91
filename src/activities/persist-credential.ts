import type { Activities } from '../contracts/activities.js';
import { type ErrorCode, isErrorCode, RelinkError } from '../errors.js';
import { identifyAccount } from '../providers/identify-account.js';
import type { Identity, TokenSet } from '../providers/definition.js';
import { parseTokenSet } from '../providers/token-set-codec.js';
import type { Credential, Session } from '../store/port/store.js';
import { sessionGrantBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';
import { storeGrant } from './store-grant.js';

/**
 * Races and repeats: the session row carries the grant's number, fixed when it was sealed. A credential row with the
 * same number was written by an earlier try of this very activity; one with a higher number belongs to a later
 * reconnect, which wins. Either way this try writes nothing, so a spent token never lands on a refreshed one.
 */
export function persistCredential(dependencies: ActivityDependencies): Activities['persistCredential'] {
  return async ({ sessionId }) => {
    const { store, providers, vault, now } = dependencies;
    const session = await store.getSession(sessionId);
    if (session === null) throw new RelinkError('attempt_not_found', sessionId);
    if (session.state === 'failed') throw new RelinkError(codeOf(session), sessionId);
    if (session.credentialId !== null) {
      const credential = await store.getCredential(session.credentialId);
      if (credential === null) throw new RelinkError('not_found', session.credentialId);
      return standing(credential);
    }
    if (session.state !== 'exchanged' || session.sealedGrant === null) {
      throw new RelinkError('internal', `${sessionId} holds no grant`);
    }

    const tokens = parseTokenSet(vault.open(session.sealedGrant, sessionGrantBinding(sessionId)));
    const identity = await proveIdentity(dependencies, session, tokens, providers.get(session.provider));
    if (session.expectedExternalId !== null && session.expectedExternalId !== identity.entityExternalId) {
      return await refuse(dependencies, session, 'wrong_account');
    }
    // Two rows that do not depend on each other; a crash between them repeats both, and the second as a no-op.
    const [credential] = await Promise.all([
      storeGrant(dependencies, session, identity, tokens),
      store.recordAccount(sessionId, { externalId: identity.entityExternalId, name: identity.accountName }, now()),
    ]);
    return standing(credential);
  };
}

/** Epoch 0 makes the restore a no-op: the grant died, or was replaced and died, before its restore came. */
function standing(credential: Credential) {
  return { credentialId: credential.id, epoch: credential.authIsValid ? credential.epoch : 0 };
}

function codeOf(session: Session): ErrorCode {
  return isErrorCode(session.errorCode) ? session.errorCode : 'internal';
}

async function proveIdentity(
  dependencies: ActivityDependencies,
  session: Session,
  tokens: TokenSet,
  provider: Parameters<typeof identifyAccount>[0],
): Promise<Identity> {
  const answer = await identifyAccount(provider, tokens);
  switch (answer.kind) {
    case 'ok':
      return answer.identity;
    case 'refused':
      return await refuse(dependencies, session, 'identity_refused');
    case 'unusable':
      return await refuse(dependencies, session, 'identity_unusable');
    case 'rate_limited':
      throw new RelinkError('rate_limited', session.provider, { retryAfterMs: answer.retryAfterMs ?? undefined });
    case 'unavailable':
      // A 403 or 404 is an answer, not an outage: asking again for a day would not change it.
      if (answer.reason === 'refused_otherwise') return await refuse(dependencies, session, 'identity_refused');
      throw new RelinkError('provider_unavailable', `${session.provider}: ${answer.reason}`);
  }
}

/** Ends the attempt for good. The old credential and entity were never touched, and nothing is revoked. */
async function refuse(dependencies: ActivityDependencies, session: Session, code: ErrorCode): Promise<never> {
  await dependencies.store.endSession(session.id, 'exchanged', code, dependencies.now());
  throw new RelinkError(code, session.id);
}
