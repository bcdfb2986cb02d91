import type { CredentialTester } from '../credentials/create-credential-tester.js';
import { operatorWaitMs, type CredentialRefresher } from '../credentials/credential-refresher.js';
import { judgeStanding } from '../domain/credential-standing.js';
import type { EntityId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';
import type { ProviderRequest, ProviderResponse } from '../integrations/handler-context.js';
import type { ProviderCatalogue } from '../providers/load-providers.js';
import type { Credential, Integration } from '../store/port/store.js';
import type { HandlerClock } from './handler-clock.js';
import { isIntegrationEntity } from './is-integration-entity.js';
import type { LivingConnection, LivingConnections } from './living-connections.js';
import type { RefusalMemory } from './create-refusal-memory.js';
import { sendWithToken } from './send-with-token.js';

export interface ProviderRequestDependencies {
  readonly connections: LivingConnections;
  readonly providers: ProviderCatalogue;
  readonly refresher: CredentialRefresher;
  readonly tester: CredentialTester;
  readonly refusals: RefusalMemory;
  readonly now?: () => number;
  /** Of the handler that asks: it stands still while its credential is tested or refreshed. */
  readonly clock?: HandlerClock | undefined;
}

/**
 * One request of a handler, with the token of one of its integration's entities. The token goes to the provider's own
 * hosts only, and nowhere by redirect.
 *
 * A 401 is about the token until shown otherwise. A newer one in the store is used; else one that can be refreshed is,
 * and one that cannot is tested, each once for everybody who met the same 401. Then the call is made once more, also
 * with a token that its test found good. A 401 to that is the endpoint's own answer (a missing scope): from then on the
 * identity call decides before anything is refreshed for this credential's sake.
 *
 * @throws RelinkError `credential_dead`, `client_rejected`, `refresh_pending` and `rate_limited` with their times,
 * `provider_unavailable`, `entity_not_usable`, `host_not_allowed`.
 */
export async function requestProvider(
  dependencies: ProviderRequestDependencies,
  integration: Integration,
  wanted: ProviderRequest,
  signal: AbortSignal,
): Promise<ProviderResponse> {
  const { connections, providers, refusals } = dependencies;
  const entityId = wanted.entityId ?? (integration.entityIds.length === 1 ? integration.entityIds[0] : undefined);
  if (entityId === undefined || !isIntegrationEntity(integration, entityId)) {
    throw new RelinkError('entity_not_usable', wanted.entityId === undefined ? 'name one of several' : integration.id);
  }
  const send = ({ credential, tokens }: LivingConnection) =>
    sendWithToken(providers.get(credential.provider), tokens, wanted, signal);

  const first = await refreshAhead(dependencies, entityId, await connections.find(entityId));
  const answer = await send(first);
  if (!answer.refused) return answer.response;

  const next = await findGoodToken(dependencies, entityId, first.credential);
  if (next === null) return answer.response;
  const again = await send(next);
  const { id, refreshable } = next.credential;
  if (!again.refused) return again.response;
  if (!isNewer(next.credential, first.credential)) refusals.repeats.note(id);
  else if (refreshable) refusals.newTokens.note(id);
  else await test(dependencies, entityId, next.credential);
  return again.response;
}

function isNewer(found: Credential, used: Credential): boolean {
  return found.id !== used.id || found.generation > used.generation;
}

/** Before its end a token is refreshed beside the request, after it the request waits for the new one. */
async function refreshAhead(
  dependencies: ProviderRequestDependencies,
  entityId: EntityId,
  connection: LivingConnection,
): Promise<LivingConnection> {
  const { refresher, now = Date.now } = dependencies;
  const { credential } = connection;
  if (!credential.refreshable) return connection;
  if (credential.expiresAt !== null && credential.expiresAt.getTime() <= now()) {
    return (await refresh(dependencies, entityId, credential, { byClock: true })) ?? connection;
  }
  if (credential.refreshDueAt !== null && credential.refreshDueAt.getTime() <= now()) {
    // Should it fail, the sweep, or the token's end, comes back to it.
    refresher.refresh(credential, { byClock: true }).catch(() => undefined);
  }
  return connection;
}

/** The token to call once more with; null: the 401 was the endpoint's. */
async function findGoodToken(
  dependencies: ProviderRequestDependencies,
  entityId: EntityId,
  used: Credential,
): Promise<LivingConnection | null> {
  const { connections, refusals } = dependencies;
  const stored = await connections.read(entityId);
  if (isNewer(stored.credential, used)) return stored;
  if (used.refreshable && !refusals.newTokens.has(used.id)) {
    const refreshed = await refresh(dependencies, entityId, stored.credential);
    if (refreshed !== null) return refreshed;
  }
  const tested = await test(dependencies, entityId, stored.credential);
  const isRefusedAnyway = refusals.repeats.has(used.id) && tested !== null && !isNewer(tested.credential, used);
  return isRefusedAnyway ? null : tested;
}

/** Null: no refresh token is held. */
async function refresh(
  { refresher, connections, clock }: ProviderRequestDependencies,
  entityId: EntityId,
  credential: Credential,
  options?: Parameters<CredentialRefresher['refresh']>[1],
): Promise<LivingConnection | null> {
  const refreshing = refresher.refresh(credential, options);
  const outcome = await (clock?.during(refreshing) ?? refreshing);
  switch (outcome.kind) {
    case 'refreshed':
      return await connections.read(entityId);
    case 'not_refreshable':
      return null;
    case 'dead':
    case 'gone':
      throw new RelinkError('credential_dead', credential.id);
    case 'operator_fault': {
      const { credential: after } = await connections.read(entityId);
      if (judgeStanding(after) === 'client_rejected') throw new RelinkError('client_rejected', credential.provider);
      throw new RelinkError('refresh_pending', credential.provider, { retryAfterMs: operatorWaitMs });
    }
    case 'pending':
      throw new RelinkError('refresh_pending', credential.provider, { retryAfterMs: outcome.retryAfterMs });
  }
}

/** What the test found good: the same token, or the one that it was refreshed to. Null: neither. */
async function test(
  { tester, connections, clock }: ProviderRequestDependencies,
  entityId: EntityId,
  credential: Credential,
): Promise<LivingConnection | null> {
  const testing = tester.test(credential);
  const outcome = await (clock?.during(testing) ?? testing);
  switch (outcome) {
    case 'ok':
      return await connections.read(entityId);
    case 'refused':
    case 'gone':
      if (!credential.refreshable) throw new RelinkError('credential_dead', credential.id);
      // A token that was refreshed and is refused all the same is kept: the grant lives. A dead one is told by the read.
      await connections.read(entityId);
      return null;
    case 'needs_refresh':
      throw new RelinkError('refresh_pending', credential.provider);
    case 'unreachable':
    case null:
      throw new RelinkError('provider_unavailable', credential.provider);
  }
}
