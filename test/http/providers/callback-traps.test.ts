import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { Secret } from '../../../src/vault/secret.js';
import { replyJson, startWireProvider, type WireProvider } from '../../support/wire-provider.js';
import { canary, rejection, renderError, wireUp } from '../../support/wire-settings.js';

let wire: WireProvider;
beforeEach(async () => {
  wire = await startWireProvider(replyJson(200, { access_token: 'at', token_type: 'bearer' }));
});
afterEach(async () => {
  await wire.close();
  await closeProviderConnections();
});

const exchange = (id: string, callback: Readonly<Record<string, string>>) =>
  exchangeCode(wireUp(id, wire), {
    callback,
    state: 'right',
    redirectUri: 'https://relink.test/callback',
    codeVerifier: new Secret('v'.repeat(43)),
  });

/** Nothing of these may cause a request. */
async function expectNoRequest(id: string, callback: Readonly<Record<string, string>>) {
  const error = await rejection(exchange(id, callback));
  expect(wire.connections).toBe(0);
  return error;
}

describe('the state', () => {
  test.each<Record<string, string>>([
    {},
    { state: '' },
    { state: 'wrong' },
    { state: 'RIGHT' },
    { state: 'wrong', error: 'access_denied' },
  ])('of %j is nobody’s attempt', async callback => {
    expect(await expectNoRequest('attio', { code: 'c', ...callback })).toMatchObject({ code: 'attempt_not_found' });
  });
});

describe('an error in the callback', () => {
  test('access_denied is an ordinary answer', async () => {
    const callback = { state: 'right', error: 'access_denied', error_description: 'no thanks' };
    for (const id of ['attio', 'pipedrive', 'zoho'])
      expect(await expectNoRequest(id, callback)).toMatchObject({ code: 'access_denied' });
  });

  test('user_denied means the same at Pipedrive only', async () => {
    const callback = { state: 'right', error: 'user_denied' };
    expect(await expectNoRequest('pipedrive', callback)).toMatchObject({ code: 'access_denied' });
    expect(await expectNoRequest('attio', callback)).toMatchObject({
      code: 'authorization_failed',
      detail: 'user_denied',
    });
  });

  test('another code is shown, another text is not', async () => {
    const secret = canary('text');
    expect(await expectNoRequest('attio', { state: 'right', error: 'server_error' })).toMatchObject({
      code: 'authorization_failed',
      detail: 'server_error',
    });
    for (const text of [secret, `<script>${secret}</script>`, `a${secret}`.repeat(5)]) {
      const error = await expectNoRequest('attio', {
        state: 'right',
        error: text,
        error_description: secret,
        code: secret,
      });
      expect(error.code).toBe('authorization_failed');
      expect(renderError(error)).not.toContain(secret);
    }
  });

  test('wins over a code', async () => {
    const callback = { state: 'right', code: 'c', error: 'temporarily_unavailable' };
    expect(await expectNoRequest('attio', callback)).toMatchObject({ code: 'authorization_failed' });
  });
});

describe('the issuer (RFC 9207)', () => {
  test('must be there and be the right one, where the provider sends it', async () => {
    for (const iss of [undefined, '', 'https://evil.test', `${wire.origin}/`, wire.origin.toUpperCase()]) {
      const callback: Record<string, string> = { state: 'right', code: 'c' };
      if (iss !== undefined) callback['iss'] = iss;
      expect(await expectNoRequest('sandbox', callback)).toMatchObject({ code: 'authorization_failed' });
    }
    await exchange('sandbox', { state: 'right', code: 'c', iss: wire.origin });
    expect(wire.requests).toHaveLength(1);
  });

  test('is checked on a refusal too', async () => {
    const refusal = { state: 'right', error: 'access_denied' };
    expect(await expectNoRequest('sandbox', { ...refusal, iss: 'https://evil.test' })).toMatchObject({
      code: 'authorization_failed',
    });
    expect(await expectNoRequest('sandbox', { ...refusal, iss: wire.origin })).toMatchObject({ code: 'access_denied' });
  });

  test('of a provider not known to send one must be its own origin', async () => {
    expect(await expectNoRequest('attio', { state: 'right', code: 'c', iss: 'https://evil.test' })).toMatchObject({
      code: 'authorization_failed',
    });
    await exchange('attio', { state: 'right', code: 'c', iss: wire.origin });
    expect(wire.requests).toHaveLength(1);
  });
});

describe('a callback that holds something else than a code', () => {
  test.each([
    ['nothing', {}],
    ['an empty code', { code: '' }],
    ['a JARM response', { code: 'c', response: 'a.b.c' }],
    ['an id_token', { code: 'c', id_token: 'a.b.c' }],
    ['a token', { code: 'c', token: 't' }],
  ])('%s', async (_what, fields) => {
    expect(await expectNoRequest('attio', { state: 'right', ...fields })).toMatchObject({
      code: 'authorization_failed',
    });
  });
});
