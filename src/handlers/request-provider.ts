import { validateHeaderName, validateHeaderValue } from 'node:http';
import { RelinkError } from '../errors.js';
import type { ProviderRequest, ProviderResponse } from '../integrations/handler-context.js';
import { authorizeRequest } from '../providers/authorize-request.js';
import type { Provider } from '../providers/configure-provider.js';
import type { ProviderCatalogue } from '../providers/load-providers.js';
import { resolveApiUrl } from '../providers/resolve-api-url.js';
import { parseJson, sendRequest } from '../providers/send-request.js';
import { parseTokenSet } from '../providers/token-set-codec.js';
import type { Credential, Integration, Store } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { Vault } from '../vault/vault.js';
import { isIntegrationEntity } from './is-integration-entity.js';
import type { CredentialTester } from './test-credential-once.js';

const maxAnswerBytes = 10 * 1024 * 1024;
const defaultTimeoutMs = 30_000;
/** A body longer than this is an answer, whatever its fields are called. */
const longestRefusal = 4096;
/** Set by us or by the connection alone. */
const ownHeaders = new Set([
  'authorization',
  'host',
  'content-length',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'proxy-authorization',
]);

export interface ProviderRequestDependencies {
  readonly store: Pick<Store, 'getEntity' | 'getCredential'>;
  readonly vault: Vault;
  readonly providers: ProviderCatalogue;
  readonly tester: CredentialTester;
}

/**
 * One request of a handler, with the token of one of its integration's entities. The token goes to the provider's own
 * hosts only, and nowhere by redirect.
 *
 * A 401 is about the token until shown otherwise: a newer one in the store is used; else the credential is tested, once
 * for everybody who met the same 401. Only a credential that passes makes the 401 the endpoint's own answer.
 *
 * @throws RelinkError `credential_dead`, `entity_not_usable`, `host_not_allowed`, `provider_unavailable`.
 */
export async function requestProvider(
  dependencies: ProviderRequestDependencies,
  integration: Integration,
  wanted: ProviderRequest,
  signal: AbortSignal,
): Promise<ProviderResponse> {
  const { store, providers, tester } = dependencies;
  const entityId = wanted.entityId ?? (integration.entityIds.length === 1 ? integration.entityIds[0] : undefined);
  if (entityId === undefined || !isIntegrationEntity(integration, entityId)) {
    throw new RelinkError('entity_not_usable', wanted.entityId === undefined ? 'name one of several' : integration.id);
  }
  const entity = await store.getEntity(entityId);
  if (entity === null) throw new RelinkError('entity_not_usable', entityId);
  const provider = providers.get(entity.provider);

  let credential = await readLiving(store, entity.credentialId);
  let answer = await send(dependencies, provider, credential, wanted, signal);
  if (!answer.refused) return answer.response;

  const stored = await readLiving(store, entity.credentialId);
  if (stored.generation > credential.generation) {
    credential = stored;
    answer = await send(dependencies, provider, credential, wanted, signal);
    if (!answer.refused) return answer.response;
  }
  const outcome = await tester.test(credential);
  if (outcome === 'refused' || outcome === 'gone') throw new RelinkError('credential_dead', credential.id);
  if (outcome === null || outcome === 'unreachable') throw new RelinkError('provider_unavailable', provider.id);
  return answer.response;
}

async function readLiving(store: Pick<Store, 'getCredential'>, id: Credential['id']): Promise<Credential> {
  const credential = await store.getCredential(id);
  if (credential?.authIsValid !== true) throw new RelinkError('credential_dead', id);
  return credential;
}

async function send(
  { vault }: ProviderRequestDependencies,
  provider: Provider,
  credential: Credential,
  wanted: ProviderRequest,
  signal: AbortSignal,
): Promise<{ readonly response: ProviderResponse; readonly refused: boolean }> {
  const tokens = parseTokenSet(vault.open(credential.sealedTokens, credentialTokensBinding(credential.id)));
  const isJson = wanted.json !== undefined;
  const authorization = authorizeRequest(provider, tokens);
  const result = await sendRequest({
    method: wanted.method ?? 'GET',
    url: resolveApiUrl(provider, tokens.extras, wanted.url),
    headers: {
      accept: 'application/json',
      ...(isJson && { 'content-type': 'application/json' }),
      ...readHeaders(wanted),
      [authorization.name]: authorization.value,
    },
    body: isJson ? JSON.stringify(wanted.json) : wanted.body,
    timeoutMs: wanted.timeoutMs ?? defaultTimeoutMs,
    maxBodyBytes: maxAnswerBytes,
    signal,
    allowLoopback: provider.allowInsecure,
    keepAlive: true,
  });
  if (result.kind === 'failed') throw new RelinkError('provider_unavailable', `${provider.id}: ${result.reason}`);
  const { status, text } = result;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(result.headers)) {
    if (value !== undefined && name !== 'set-cookie') headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { response: { status, headers, text }, refused: saysRefused(provider, status, text) };
}

/** The provider's own rule where it has one: it may use 401 for other things, or say it inside a small 200. */
function saysRefused(provider: Provider, status: number, text: string): boolean {
  if (provider.isRefusal === undefined || (status !== 401 && text.length > longestRefusal)) return status === 401;
  return provider.isRefusal(status, parseJson(text));
}

/** Throws RelinkError `invalid_request` for what cannot be a header. */
function readHeaders({ headers = {}, json, body }: ProviderRequest): Record<string, string> {
  if (json !== undefined && body !== undefined)
    throw new RelinkError('invalid_request', 'json and body exclude each other');
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new RelinkError('invalid_request', 'headers');
    }
    if (!ownHeaders.has(name.toLowerCase())) kept[name.toLowerCase()] = value;
  }
  return kept;
}
