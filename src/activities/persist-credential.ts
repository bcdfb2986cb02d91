import type { Activities } from '../contracts/activities.js';
import { type ErrorCode, readErrorCode, RelinkError } from '../errors.js';
import { identifyAccount } from '../providers/identify-account.js';
import { mintTokens } from '../providers/mint-tokens.js';
import type { ClientKey, Identity, TokenSet } from '../providers/definition.js';
import { parseGrant } from '../providers/token-set-codec.js';
import type { Credential, ProvenAccount, Session } from '../store/port/store.js';
import { sessionGrantBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';
import { storeGrant } from './store-grant.js';

const mintTimeoutMs = 10_000;

/**
 * Two writes in this order: the proven account on the session, then the credential. The first decides with `endSession`
 * whether the attempt may still fail: once an account is recorded it only goes forward, so no credential is ever
 * replaced by an attempt that ended. A repeat takes the account from the row and asks nobody again.
 *
 * The session carries the grant's number, fixed when it was sealed. A credential row with the same number was written by
 * an earlier try of this very activity; one with a higher number belongs to a later reconnect, which wins. Either way
 * this try writes nothing, so a spent token never lands on a refreshed one.
 */
export function persistCredential(dependencies: ActivityDependencies): Activities['persistCredential'] {
  return async ({ sessionId }) => {
    const { store, providers, vault, now } = dependencies;
    const session = await store.getSession(sessionId);
    if (session === null) throw new RelinkError('attempt_not_found', sessionId);
    if (session.state === 'failed') throw new RelinkError(readErrorCode(session.errorCode), sessionId);
    if (session.credentialId !== null) {
      const credential = await store.getCredential(session.credentialId);
      if (credential === null) throw new RelinkError('not_found', session.credentialId);
      return standing(credential);
    }
    const { sealedGrant } = session;
    if (session.state !== 'exchanged' || sealedGrant === null) {
      throw new RelinkError('internal', `${sessionId} holds no grant`);
    }

    const grant = waitForOperator(() => parseGrant(vault.open(sealedGrant, sessionGrantBinding(sessionId))));
    const tokens = 'accessToken' in grant ? grant : await mint(dependencies, session, grant);
    if (session.account !== null) {
      return standing(await storeGrant(dependencies, session, session.account, tokens));
    }
    const provider = waitForOperator(() => providers.get(session.provider));
    const identity = await proveIdentity(dependencies, session, tokens, provider);
    if (session.expectedExternalId !== null && session.expectedExternalId !== identity.entityExternalId) {
      return await refuse(dependencies, session, 'wrong_account');
    }
    const account: ProvenAccount = {
      externalId: identity.entityExternalId,
      credentialExternalId: identity.credentialExternalId,
      // PostgreSQL stores no NUL; a name is not worth an attempt.
      name: identity.accountName?.replaceAll('\0', '') ?? null,
    };
    const recorded = await store.recordAccount(sessionId, account, now());
    // Ended, or connected by another try, since it was read: the next try answers from the row.
    if (recorded === null) throw new RelinkError('write_conflict', sessionId);
    return standing(await storeGrant(dependencies, recorded, account, tokens));
  };
}

/**
 * A key or a client secret that this worker lacks is the operator's to give, as in a rolling change of settings: the
 * attempt waits for it and keeps its grant.
 */
function waitForOperator<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RelinkError)) throw error;
    throw new RelinkError(error.code, error.detail, { cause: error, retryable: true });
  }
}

/** Epoch 0 makes the restore a no-op: the grant died, or was replaced and died, before its restore came. */
function standing(credential: Credential) {
  return { credentialId: credential.id, epoch: credential.authIsValid ? credential.epoch : 0 };
}

/** The first token of a client; that it can be had proves the client. An outage is retried, like that of the identity call. */
async function mint(dependencies: ActivityDependencies, session: Session, client: ClientKey): Promise<TokenSet> {
  const provider = waitForOperator(() => dependencies.providers.get(session.provider));
  const answer = await mintTokens(provider, client, { timeoutMs: mintTimeoutMs, issuedAt: dependencies.now() });
  switch (answer.meaning) {
    case 'ok':
      return answer.tokens;
    case 'definitive':
    case 'operator_fault':
      return await refuse(dependencies, session, 'secret_refused');
    case 'rate_limited':
      throw new RelinkError('rate_limited', session.provider, { retryAfterMs: answer.retryAfterMs ?? undefined });
    case 'transient':
    case 'unknown':
      throw new RelinkError('provider_unavailable', `${session.provider}: ${answer.reason}`);
  }
}

async function proveIdentity(
  dependencies: ActivityDependencies,
  session: Session,
  tokens: TokenSet,
  provider: Parameters<typeof identifyAccount>[0],
): Promise<Identity> {
  const refused = tokens.key === undefined ? 'identity_refused' : 'secret_refused';
  const answer = await identifyAccount(provider, tokens);
  switch (answer.kind) {
    case 'ok':
      return answer.identity;
    case 'refused':
      return await refuse(dependencies, session, refused);
    case 'unusable':
      return await refuse(dependencies, session, 'identity_unusable');
    case 'rate_limited':
      throw new RelinkError('rate_limited', session.provider, { retryAfterMs: answer.retryAfterMs ?? undefined });
    case 'unavailable':
      // A 403 or 404 is an answer, not an outage: asking again for a day would not change it.
      if (answer.reason === 'refused_otherwise') return await refuse(dependencies, session, refused);
      throw new RelinkError('provider_unavailable', `${session.provider}: ${answer.reason}`);
  }
}

/** Ends the attempt for good. The old credential and entity were never touched, and nothing is revoked. */
async function refuse(dependencies: ActivityDependencies, session: Session, code: ErrorCode): Promise<never> {
  await dependencies.store.endSession(session.id, 'exchanged', code, dependencies.now());
  throw new RelinkError(code, session.id);
}
