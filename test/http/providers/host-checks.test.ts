import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { identifyAccount } from '../../../src/providers/identify-account.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import type { ProviderSettings } from '../../../src/providers/configure-provider.js';
import { Secret } from '../../../src/vault/secret.js';
import { replyJson, startWireProvider, type WireProvider } from '../../support/wire-provider.js';
import { canary, rejection, renderError, wireUp } from '../../support/wire-settings.js';

/** The configured provider, one of its regions, and somebody else: all real servers on this machine. */
let wire: WireProvider;
let region: WireProvider;
let stranger: WireProvider;
beforeEach(async () => {
  const tokens = replyJson(200, { access_token: 'at', token_type: 'bearer' });
  [wire, region, stranger] = await Promise.all([
    startWireProvider(tokens),
    startWireProvider(tokens),
    startWireProvider(tokens),
  ]);
});
afterEach(async () => {
  await Promise.all([wire.close(), region.close(), stranger.close()]);
  await closeProviderConnections();
});

const exchange = (id: string, callback: Record<string, string> = {}, settings: Partial<ProviderSettings> = {}) =>
  exchangeCode(wireUp(id, wire, settings), {
    callback: { code: 'c', state: 's', ...callback },
    state: 's',
    redirectUri: 'https://relink.test/callback',
    codeVerifier: new Secret('v'.repeat(43)),
  });

const identify = (id: string, extras: Record<string, string>, settings: Partial<ProviderSettings> = {}) =>
  identifyAccount(wireUp(id, wire, settings), {
    accessToken: new Secret('at'),
    refreshToken: null,
    expiresAt: null,
    extras,
  });

describe('zoho accounts-server, from the callback', () => {
  test('a stranger gets no connection, and neither does anybody else', async () => {
    const error = await rejection(exchange('zoho', { 'accounts-server': stranger.origin }));
    expect(error).toMatchObject({ code: 'host_not_allowed', detail: 'accounts-server' });
    expect([wire.connections, region.connections, stranger.connections]).toEqual([0, 0, 0]);
  });

  test.each([
    'https://accounts.zoho.eu.evil.test',
    'https://evil.test/accounts.zoho.eu',
    'https://evil.test#accounts.zoho.eu',
    'https://accounts.zoho.eu@evil.test',
    'https://user@accounts.zoho.eu',
    'https://accounts.zoho.eu:8443',
    'https://accounts.zoho.eu.',
    'https://accounts.zоho.eu', // a Cyrillic o
    'http://accounts.zoho.eu',
    '//accounts.zoho.eu',
    'accounts.zoho.eu',
    'javascript:alert(1)',
    'https://169.254.169.254',
    'https://zoho.eu',
    '',
  ])('%j is refused', async value => {
    const error = await rejection(exchange('zoho', { 'accounts-server': value }));
    expect(error).toMatchObject({ code: 'host_not_allowed', detail: 'accounts-server' });
    expect(wire.connections).toBe(0);
  });

  test('the error does not repeat what the stranger wrote', async () => {
    const text = canary('host');
    const error = await rejection(exchange('zoho', { 'accounts-server': `https://${text}.test` }));
    expect(renderError(error)).not.toContain(text);
  });

  test('a region that configuration names gets the code, and is kept with the tokens', async () => {
    const tokens = await exchange(
      'zoho',
      { 'accounts-server': region.origin, location: 'eu' },
      { hosts: [region.host] },
    );
    expect(region.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /token']);
    expect(wire.connections).toBe(0);
    expect(tokens.extras).toEqual({ 'accounts-server': region.origin });
  });

  test('a region of the catalogue does not lead away from a configured endpoint', async () => {
    await exchange('zoho', { 'accounts-server': 'https://accounts.zoho.eu' });
    expect(wire.requests).toHaveLength(1);
  });

  test('only its origin is used, whatever path it brings', async () => {
    await exchange('zoho', { 'accounts-server': `${region.origin}/evil/../x?y=z` }, { hosts: [region.host] });
    expect(region.requests.map(({ path }) => path)).toEqual(['/token']);
  });

  test('is nothing to the other providers', async () => {
    await exchange('attio', { 'accounts-server': stranger.origin });
    expect(stranger.connections).toBe(0);
    expect(wire.requests).toHaveLength(1);
  });
});

describe.each(['zoho', 'pipedrive'])('%s api_domain, from the token answer', id => {
  const answerWith = (apiDomain: string) =>
    replyJson(200, { access_token: 'at', token_type: 'bearer', api_domain: apiDomain });

  test('a stranger ends the exchange, and hears nothing', async () => {
    wire.reply = answerWith(stranger.origin);
    expect(await rejection(exchange(id))).toMatchObject({ code: 'host_not_allowed', detail: 'api_domain' });
    expect(wire.requests).toHaveLength(1);
    expect(stranger.connections).toBe(0);
  });

  test.each([
    'https://evil.test',
    'https://a.b.pipedrive.com',
    'https://pipedrive.com.evil.test',
    'https://a.b.zohoapis.eu',
    'https://zohoapis.eu',
    'http://www.zohoapis.eu',
    'not a url',
  ])('%j ends the exchange', async value => {
    wire.reply = answerWith(value);
    expect(await rejection(exchange(id))).toMatchObject({ code: 'host_not_allowed', detail: 'api_domain' });
  });

  test('one on the list is kept with the tokens', async () => {
    const allowed = id === 'zoho' ? 'https://www.zohoapis.eu' : 'https://acme.pipedrive.com';
    wire.reply = answerWith(allowed);
    expect((await exchange(id)).extras).toEqual({ api_domain: allowed });
  });

  test('one that configuration names gets the identity call', async () => {
    wire.reply = answerWith(region.origin);
    const { extras } = await exchange(id, {}, { hosts: [region.host] });
    await identify(id, extras, { hosts: [region.host] });
    expect(region.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /identity']);
  });

  test('a stored one that has left the list gets no identity call', async () => {
    const error = await rejection(identify(id, { api_domain: stranger.origin }));
    expect(error).toMatchObject({ code: 'host_not_allowed', detail: 'api_domain' });
    expect([wire.connections, stranger.connections]).toEqual([0, 0]);
  });
});
