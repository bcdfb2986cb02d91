import { sessionClaimWindowMs } from '../../domain/session.js';
import type { SubmittedKind } from '../../domain/credential-kind.js';
import type { EntityId, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import { newId } from '../../ids.js';
import type { TokenSet } from '../../providers/definition.js';
import { serialiseClient, serialiseTokenSet } from '../../providers/token-set-codec.js';
import type { Session } from '../../store/port/store.js';
import { sessionGrantBinding } from '../../vault/bindings.js';
import { randomToken, sha256Hex } from '../../vault/hash.js';
import { Secret } from '../../vault/secret.js';
import type { HttpContext } from '../dependencies.js';
import { findExpectedEntity } from './find-expected-entity.js';
import { readOutcome, type AuthorizationAnswer } from './read-outcome.js';
import { sealRequest } from './sealed-request.js';

/** What the user copied from the provider's settings. */
export type KeyFields =
  | { readonly kind: 'api_key'; readonly apiKey: Secret }
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'client_credentials'; readonly clientId: string; readonly clientSecret: Secret };

export interface KeySubmission {
  readonly userId: UserId;
  readonly providerId: string;
  /** Replace the credential of this entity, and of no other account. */
  readonly entityId?: EntityId | undefined;
  readonly fields: KeyFields;
}

/**
 * Takes a key in as a callback takes a code: an attempt's session holds it sealed before anything else is done with it,
 * and reauth/<session> proves it, stores it and restores what was waiting. So a key that the provider refuses never
 * replaces one that works, and one that it cannot judge just now is judged later.
 *
 * @throws RelinkError `provider_unknown`, `provider_not_configured`, `kind_not_taken`, `not_found` (the entity).
 */
export async function submitKey(
  context: HttpContext,
  submission: KeySubmission,
): Promise<{ readonly session: Session; readonly answer: AuthorizationAnswer }> {
  const { config, providers, store, vault, workflows, now } = context;
  const { userId, fields } = submission;
  const provider = providers.get(submission.providerId);
  if (!takesKind(provider.keys, fields.kind)) throw new RelinkError('kind_not_taken', `${provider.id}: ${fields.kind}`);
  const expected = await findExpectedEntity(context, submission.entityId, userId, provider.id);

  const id = newId('session');
  const state = randomToken();
  await store.insertSession({
    id,
    userId,
    provider: provider.id,
    // Nobody comes back from a page: these belong to attempts that send a browser away.
    redirectUri: '',
    ownRedirect: true,
    returnUrl: null,
    expectedEntityId: expected?.id ?? null,
    expectedExternalId: expected?.externalId ?? null,
    stateHash: sha256Hex(state),
    sealedRequest: sealRequest(vault, id, { state, codeVerifier: new Secret(randomToken()) }),
    expiresAt: new Date(now().getTime() + sessionClaimWindowMs),
  });
  const claimed = await store.claimSession(id, now());
  const sealed = claimed && (await store.sealGrant(id, vault.seal(serialise(fields), sessionGrantBinding(id)), now()));
  if (sealed === null) throw new RelinkError('write_conflict', id);

  const answer = await workflows.runReauth({ sessionId: id, provider: provider.id }, config.callbackDeadlineMs);
  if (answer.kind !== 'pending') return { session: sealed, answer };
  // The run may have ended while its answer got lost; the row knows.
  const row = (await store.getSession(id)) ?? sealed;
  return { session: row, answer: readOutcome(row) };
}

function takesKind(keys: { readonly [Kind in SubmittedKind]?: unknown } | undefined, kind: SubmittedKind): boolean {
  return keys?.[kind] !== undefined;
}

function serialise(fields: KeyFields): Secret {
  switch (fields.kind) {
    case 'client_credentials':
      return serialiseClient(fields);
    case 'api_key':
      return serialiseTokenSet(asTokenSet(fields.kind, fields.apiKey));
    case 'basic':
      return serialiseTokenSet(asTokenSet(fields.kind, new Secret(`${fields.username}:${fields.password.reveal()}`)));
  }
}

function asTokenSet(kind: 'api_key' | 'basic', accessToken: Secret): TokenSet {
  return { key: { kind }, accessToken, refreshToken: null, expiresAt: null, extras: {} };
}
