import type { AddressInfo } from 'node:net';
import { pickPort } from '../../../src/embedded/pick-port.js';
import { driveConsent } from '../../../src/embedded/sandbox/drive-consent.js';
import { followCallback } from '../../support/follow-callback.js';
import { sandboxSettings } from '../../../src/embedded/start-backing-services.js';
import { startSandbox } from '../../../src/embedded/sandbox/start-sandbox.js';
import { begin, call, startApi } from './start-api.js';

/** The whole way through a real authorization server, over sockets, as a browser goes it. */
test('connecting, declining and reconnecting through a real consent page', async () => {
  const port = await pickPort(undefined, 'test', () => undefined);
  const origin = `http://127.0.0.1:${port}`;
  const sandbox = await startSandbox({
    clients: [{ clientId: 'relink', clientSecret: 'secret', redirectUris: [`${origin}/api/oauth/callback/sandbox`] }],
    quiet: true,
  });
  const api = await startApi({
    settings: { RELINK_PUBLIC_URL: origin, ...sandboxSettings(sandbox.url, 'relink', 'secret') },
  });
  try {
    await api.app.listen({ host: '127.0.0.1', port });
    expect((api.app.server.address() as AddressInfo).port).toBe(port);
    const start = async () =>
      (await call(api, 'ann', 'GET', '/api/authorize?entityType=sandbox')).json<{ url: string }>();

    const allowed = await driveConsent({ startUrl: (await start()).url, account: 'globex' });
    expect(new URL(allowed.finalUrl).searchParams.get('iss')).toBe(sandbox.url);
    const connected = await followCallback(allowed.finalUrl, allowed.cookies);
    expect([connected.status, connected.body.includes('Sandbox is connected')]).toEqual([200, true]);
    const { data } = (await call(api, 'ann', 'GET', '/api/entities')).json<{ data: object[] }>();
    expect(data).toMatchObject([{ provider: 'sandbox', external_id: 'acct_globex', name: 'Globex' }]);

    const denied = await driveConsent({ startUrl: (await start()).url, account: 'globex', decision: 'deny' });
    expect((await followCallback(denied.finalUrl, denied.cookies)).status).toBe(403);

    const again = await driveConsent({ startUrl: (await start()).url, account: 'globex' });
    expect((await followCallback(again.finalUrl, again.cookies)).status).toBe(200);
    const { data: credentials } = (await call(api, 'ann', 'GET', '/api/credentials')).json<{ data: object[] }>();
    expect(credentials).toMatchObject([{ provider: 'sandbox', refreshable: true, generation: 2 }]);

    // A callback with another issuer is a mix-up (RFC 9207): nothing is exchanged.
    const mixed = await begin(api, 'ann', { entityType: 'sandbox' });
    const answer = await api.app.inject({
      url: `${mixed.callback}&iss=https%3A%2F%2Fevil.example`,
      headers: { cookie: mixed.cookie },
    });
    expect(answer.json()).toMatchObject({ error: { code: 'authorization_failed' } });
  } finally {
    await api.close();
    await sandbox.close();
  }
});
