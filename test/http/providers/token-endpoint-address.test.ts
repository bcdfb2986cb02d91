import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { Secret } from '../../../src/vault/secret.js';
import { startWireProvider, type WireProvider } from '../../support/wire-provider.js';
import { rejection, wireUp } from '../../support/wire-settings.js';

let wire: WireProvider;
beforeAll(async () => {
  wire = await startWireProvider();
});
afterAll(async () => {
  await wire.close();
  await closeProviderConnections();
});

const exchange = (tokenUrl: string, allowInsecure: boolean) =>
  exchangeCode(
    wireUp('attio', wire, { authorizationUrl: undefined, identityUrl: undefined, tokenUrl, allowInsecure }),
    {
      callback: { code: 'c', state: 's' },
      state: 's',
      redirectUri: 'https://relink.test/callback',
      codeVerifier: new Secret('v'.repeat(43)),
    },
  );
const refused = { code: 'host_not_allowed', detail: 'the token endpoint has no public address' };

test.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])(
  'a token endpoint that leads to this machine (%s) gets nothing unless insecure is allowed',
  async host => {
    const url = `https://${host}:${new URL(wire.origin).port}/token`;
    expect(await rejection(exchange(url, false))).toMatchObject(refused);
    expect(wire.connections).toBe(0);
  },
);

test.each(['10.255.255.1', '192.168.0.1', '172.16.0.1', '100.64.0.1', '169.254.169.254', '0.0.0.0', '[fd00::1]'])(
  'one in a private network (%s) gets nothing even then',
  async host => {
    for (const allowInsecure of [false, true])
      expect(await rejection(exchange(`https://${host}/token`, allowInsecure))).toMatchObject(refused);
  },
);
