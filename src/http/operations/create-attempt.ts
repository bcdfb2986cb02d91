import { sessionClaimWindowMs } from '../../domain/session.js';
import type { EntityId, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import { newId } from '../../ids.js';
import type { Session } from '../../store/port/store.js';
import { randomToken, sha256Hex } from '../../vault/hash.js';
import { Secret } from '../../vault/secret.js';
import type { HttpContext } from '../dependencies.js';
import { publicAddress } from '../public-address.js';
import { findExpectedEntity } from './find-expected-entity.js';
import { checkReturnUrl } from './return-urls.js';
import { sealRequest } from './sealed-request.js';

export interface AttemptRequest {
  readonly userId: UserId;
  readonly providerId: string;
  readonly returnUrl?: string | undefined;
  readonly redirectUri?: string | undefined;
  /** Reconnect this entity and no other account. */
  readonly entityId?: EntityId | undefined;
}

/**
 * Writes the session of one attempt to connect. `state` is random and kept as its hash only, so that a reader of the
 * database cannot finish somebody's attempt.
 *
 * @throws RelinkError `provider_unknown`, `provider_not_configured`, `return_url_not_allowed`,
 * `redirect_uri_not_allowed`, `not_found` (the entity).
 */
export async function createAttempt(context: HttpContext, request: AttemptRequest): Promise<Session> {
  const { config, providers, store, vault, now, returnUrlRules } = context;
  const provider = providers.get(request.providerId);
  const returnUrl = request.returnUrl === undefined ? null : checkReturnUrl(returnUrlRules, request.returnUrl);
  const ownRedirect = request.redirectUri !== undefined;
  // Exactly, as the provider will compare it too (RFC 9700 section 2.1).
  if (request.redirectUri !== undefined && !config.redirectUris.includes(request.redirectUri)) {
    throw new RelinkError('redirect_uri_not_allowed');
  }
  const expected = await findExpectedEntity(context, request.entityId, request.userId, provider.id);

  const id = newId('session');
  const state = randomToken();
  return await store.insertSession({
    id,
    userId: request.userId,
    provider: provider.id,
    redirectUri: request.redirectUri ?? publicAddress(config, `/api/oauth/callback/${provider.id}`),
    ownRedirect,
    returnUrl,
    expectedEntityId: expected?.id ?? null,
    expectedExternalId: expected?.externalId ?? null,
    stateHash: sha256Hex(state),
    sealedRequest: sealRequest(vault, id, { state, codeVerifier: new Secret(randomToken()) }),
    expiresAt: new Date(now().getTime() + sessionClaimWindowMs),
  });
}
