import { sendWithToken } from '../../../src/handlers/send-with-token.js';
import { authorizeRequest } from '../../../src/providers/authorize-request.js';
import type { Provider } from '../../../src/providers/configure-provider.js';
import type { HeldKey, TokenSet } from '../../../src/providers/definition.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import {
  parseGrant,
  parseTokenSet,
  serialiseClient,
  serialiseTokenSet,
} from '../../../src/providers/token-set-codec.js';
import { Secret } from '../../../src/vault/secret.js';
import { replyJson, startWireProvider, type WireProvider } from '../../support/wire-provider.js';
import { wireUp } from '../../support/wire-settings.js';

let wire: WireProvider;
beforeAll(async () => {
  wire = await startWireProvider(replyJson(200, {}));
});
afterAll(async () => {
  await wire.close();
  await closeProviderConnections();
});

const client: HeldKey = { kind: 'client_credentials', clientId: 'id', clientSecret: new Secret('secret') };
const tokensOf = (text: string, key?: HeldKey): TokenSet => ({
  ...(key && { key }),
  accessToken: new Secret(text),
  refreshToken: null,
  expiresAt: null,
  extras: {},
});

test.each<[string, string, Partial<Provider>, TokenSet, string, string]>([
  ['a grant', 'sandbox', {}, tokensOf('at'), 'authorization', 'Bearer at'],
  ['a grant in a dialect', 'zoho', {}, tokensOf('at'), 'authorization', 'Zoho-oauthtoken at'],
  ['a grant in a header', 'sandbox', { authorizationHeader: 'X-Own-Token' }, tokensOf('at'), 'x-own-token', 'at'],
  ['a minted token', 'sandbox', {}, tokensOf('mt', client), 'authorization', 'Bearer mt'],
  ['an API key as a bearer', 'attio', {}, tokensOf('key', { kind: 'api_key' }), 'authorization', 'Bearer key'],
  ['an API key in a header', 'pipedrive', {}, tokensOf('key', { kind: 'api_key' }), 'x-api-token', 'key'],
  // RFC 7617 section 2.1: "test" and "123£" in UTF-8.
  ['a password', 'sandbox', {}, tokensOf('test:123£', { kind: 'basic' }), 'authorization', 'Basic dGVzdDoxMjPCow=='],
])('%s', async (_name, id, changes, tokens, name, value) => {
  const provider = { ...wireUp(id, wire), ...changes };
  expect(authorizeRequest(provider, tokens)).toEqual({ name, value });
  const headers = { [name]: 'forged', [name.toUpperCase()]: 'forged', 'x-other': 'kept' };
  await sendWithToken(provider, tokens, { url: '/things', headers }, new AbortController().signal);
  const sent = wire.requests.at(-1)?.headers;
  expect(sent).toMatchObject({ [name]: value, 'x-other': 'kept' });
  if (name !== 'authorization') expect(sent?.authorization).toBeUndefined();
});

test('a stored key of a kind that its provider no longer takes is sent nowhere', () => {
  const provider = { ...wireUp('attio', wire), keys: {} };
  expect(() => authorizeRequest(provider, tokensOf('key', { kind: 'api_key' }))).toThrow('does not take credentials');
});

describe('the stored form', () => {
  test.each<[string, HeldKey]>([
    ['api_key', { kind: 'api_key' }],
    ['basic', { kind: 'basic' }],
    ['client_credentials', client],
  ])('%s comes back as it was, and prints as nothing', (_kind, key) => {
    const tokens = tokensOf('the-secret', key);
    const stored = serialiseTokenSet(tokens);
    expect(String(stored)).toBe('[redacted]');
    expect(serialiseTokenSet(parseTokenSet(stored)).reveal()).toBe(stored.reveal());
    expect(parseTokenSet(stored).key?.kind).toBe(key.kind);
  });

  test('a client without a token is a grant and no token set', () => {
    const stored = serialiseClient(client);
    expect(parseGrant(stored)).toMatchObject({ kind: 'client_credentials', clientId: 'id' });
    expect(() => parseTokenSet(stored)).toThrow('unknown form');
  });
});
