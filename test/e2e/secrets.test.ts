import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { openRequest } from '../../src/http/operations/sealed-request.js';
import { findSecrets, formsOf, listFiles } from '../support/e2e/find-secrets.js';
import { breakGrant, connectAndIntegrate, type Consent, expectWorking, untilRestored } from '../support/e2e/scenes.js';
import { adopterRedirect, type E2eServer, type E2eStack, returnUrl } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { openVault, unsealTokens } from '../support/e2e/unseal.js';
import { until } from '../support/e2e/until.js';
import { idOf } from '../support/ids.js';
import type { ApiClient } from '../../src/cli/api-client.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;
let server: E2eServer;
let worker: Awaited<ReturnType<E2eStack['startWorker']>>;

describe.each(e2eStores('the search for secrets'))('on %s', store => {
  /** By a name that can be shown. */
  const secrets = new Map<string, string>();
  const databaseLog = store === 'postgres' ? 'postgres.log' : 'server.log';

  beforeAll(async () => {
    ({ stack, server, worker } = await startRunningStack(
      {
        RELINK_CALLBACK_DEADLINE: '2',
        RELINK_EXCHANGE_TIMEOUT: '1',
      },
      store,
    ));
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  const note = (name: string, secret: string | null | undefined) => {
    if (typeof secret === 'string' && secret !== '') secrets.set(`${name} ${secrets.size + 1}`, secret);
  };

  /** Notes everything secret about an attempt: what the browser carries, and what its row keeps sealed. */
  async function noteConsent({ attempt, finalUrl, cookies }: Consent): Promise<void> {
    const { searchParams, origin, pathname } = new URL(finalUrl);
    note('code', searchParams.get('code'));
    note('state', searchParams.get('state'));
    for (const pair of (cookies.headerFor(new URL(pathname, origin)) ?? '').split('; '))
      note('cookie', pair.split('=')[1]);
    const sealed = String((await stack.database.record('authorization_sessions', attempt))['sealed_request']);
    note('sealed request', sealed);
    const request = openRequest(openVault(stack), idOf('session', attempt), sealed);
    note('code verifier', request.codeVerifier.reveal());
  }

  async function noteTokens(credentialId: string): Promise<void> {
    const { accessToken, refreshToken } = await unsealTokens(stack, credentialId);
    note('access token', accessToken);
    note('refresh token', refreshToken);
    note('sealed tokens', String((await stack.database.record('credentials', credentialId))['sealed_tokens']));
  }

  /** Everything that Temporal and every process wrote. */
  const writtenFiles = async () => [
    ...(await listFiles(stack.directory, /^temporal\.db(-wal|-shm|\.log)?$|\.log$/)),
    ...(await listFiles(join(stack.directory, store), /\.log$/)),
  ];

  async function playEverything(user: ApiClient): Promise<void> {
    // Connect, break, reconnect; an account without and one with a refresh token.
    const acme = await connectAndIntegrate(user, 'acme');
    await noteTokens(acme.credentialId);
    const globex = await connectAndIntegrate(user, 'globex');
    await noteTokens(globex.credentialId);
    await breakGrant(stack, user, 'acme', acme);
    const again = await user.consent('acme', { entityId: acme.entityId, returnUrl });
    await noteConsent(again);
    expect((await again.deliver()).status).toBe(303);
    await untilRestored(user, again.attempt);
    await noteTokens(acme.credentialId);
    await expectWorking(user, acme);

    // Through the product's own page.
    const own = await user.consent('globex', { redirectUri: adopterRedirect, entityId: globex.entityId });
    await noteConsent(own);
    const data = Object.fromEntries(new URL(own.finalUrl).searchParams);
    expect((await user.post('/api/authorize', { entityType: 'sandbox', data })).status).toBe(200);
    expect(
      (await user.post('/api/authorize', { entityType: 'sandbox', data: { ...data, extra: data['code'] } })).status,
    ).toBe(400);

    // Everything that is refused, or goes wrong, with the secrets in it.
    const denied = await user.consent('acme', {}, 'deny');
    await noteConsent(denied);
    expect((await denied.deliver()).status).toBe(403);
    const echoed = await user.consent('acme');
    await noteConsent(echoed);
    const code = new URL(echoed.finalUrl).searchParams.get('code') ?? '';
    const secretEcho = {
      error: 'invalid_grant',
      error_description: `code ${code} of ${stack.secrets.sandboxClientSecret}`,
    };
    await stack.sandbox.fault({ endpoint: 'token', status: 400, body: secretEcho, count: 1 });
    expect((await echoed.deliver()).status).toBe(502);
    for (const fault of [{ kind: 'garbage' }, { kind: 'reset' }, { kind: 'hang' }, { status: 500, body: secretEcho }]) {
      const failing = await user.consent('acme');
      await noteConsent(failing);
      await stack.sandbox.fault({ endpoint: 'token', count: 1, ...fault });
      expect((await failing.deliver()).status).toBeGreaterThanOrEqual(500);
    }
    const wrongAccount = await user.consent('hooli', { entityId: acme.entityId });
    await noteConsent(wrongAccount);
    expect((await wrongAccount.deliver()).status).toBe(409);
    const stolen = await user.consent('acme');
    await noteConsent(stolen);
    expect((await fetch(stolen.finalUrl, { redirect: 'manual' })).status).toBe(404);
    const wrongKey = `rlk_${randomBytes(24).toString('hex')}`;
    note('wrong API key', wrongKey);
    const refused = await fetch(`${server.url}/api/credentials?key=${wrongKey}`, {
      headers: { authorization: `Bearer ${wrongKey}` },
    });
    expect(refused.status).toBe(401);

    // Keys that are handed over: taken, refused, and proven only when the provider is back; then one is deleted.
    for (const kind of ['api_key', 'basic', 'client_credentials'] as const) {
      const fields = await stack.sandbox.makeKey('hooli', kind);
      const { apiKey, password, clientSecret } = fields;
      for (const secret of [apiKey, password, clientSecret]) note(`${kind} secret`, secret);
      const submit = (wanted: object) => user.post('/api/credentials', { entityType: 'sandbox', kind, fields: wanted });
      const taken = await submit(fields);
      expect(taken.status).toBe(200);
      await noteTokens(taken.body.credential_id ?? '');
      const wrong = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, `${value}-wrong`]));
      expect((await submit(wrong)).status).toBe(422);
      expect((await submit({ ...fields, extra: 'x' })).status).toBe(400);
      await stack.sandbox.fault({ endpoint: 'identity', status: 503, body: fields, count: 2 });
      const late = await submit(fields);
      expect([200, 202]).toContain(late.status);
      if (late.status === 202) await untilRestored(user, late.body.attempt ?? '');
    }
    const { body } = await user.get('/api/credentials');
    const hooli = body.data?.at(-1)?.id;
    expect((await user.request('DELETE', `/api/credentials/${hooli}?force=true`)).status).toBe(204);
    await user.until(`/api/credentials/${hooli}`, credential => credential.id === undefined, 30_000);

    // The parts fail while secrets are in their hands.
    for (const fault of [{ kind: 'garbage' }, { kind: 'reset' }, { status: 503, body: secretEcho }]) {
      await stack.sandbox.fault({ endpoint: 'identity', count: 1, ...fault });
    }
    const slow = await user.consent('globex', { entityId: globex.entityId });
    await noteConsent(slow);
    await slow.deliver();
    await untilRestored(user, slow.attempt);
    await noteTokens(globex.credentialId);
    const cut = await user.consent('acme', { entityId: acme.entityId });
    await noteConsent(cut);
    const lock = await stack.database.hold('credentials', acme.credentialId);
    const delivered = cut.deliver();
    await stack.database.untilBlocked('credentials');
    await stack.postgres.kill();
    await lock.release();
    await delivered;
    await stack.postgres.start();
    await untilRestored(user, cut.attempt);
    await noteTokens(acme.credentialId);
    const withoutTemporal = await user.consent('acme', { entityId: acme.entityId });
    await noteConsent(withoutTemporal);
    await stack.temporal.kill();
    expect((await withoutTemporal.deliver()).status).toBe(202);
    await stack.temporal.start();
    await untilRestored(user, withoutTemporal.attempt);
    await noteTokens(acme.credentialId);
  }

  describe('secrets', () => {
    it('stand in no file that Temporal wrote and in no log, whatever happens; nor do persons in Temporal', async () => {
      for (const [name, secret] of Object.entries(stack.secrets)) note(name, secret.replace(/^[^:]*:/, ''));
      note('database password', new URL(stack.databaseUrl).password);
      note('sealing key', Buffer.from(stack.secrets.keyRing.replace(/^[^:]*:/, ''), 'base64').toString('hex'));
      const user = stack.user();
      await playEverything(user);
      const kinds = ['code', 'state', 'cookie', 'code verifier', 'access token', 'refresh token', 'sealed tokens'];
      for (const kind of kinds) expect([...secrets.keys()].some(name => name.startsWith(kind))).toBe(true);

      const files = await writtenFiles();
      const names = files.map(file => file.split('/').at(-1));
      expect(names).toEqual(expect.arrayContaining(['temporal.db', 'temporal.db-wal', 'temporal.db.log', databaseLog]));
      expect(await findSecrets(files, secrets)).toEqual([]);
      const persons = new Map([
        ['user', user.userId],
        ['account', 'acct_acme'],
      ]);
      expect(await findSecrets(await listFiles(stack.directory, /^temporal\.db/), persons)).toEqual([]);
      // Nor once the processes have said their last words.
      await Promise.all([server.process.stop(), worker.stop(), stack.temporal.stop()]);
      expect(await findSecrets(await writtenFiles(), secrets)).toEqual([]);
    }, 120_000);

    it('would have been found: one is given to Temporal, one to the database, and both are', async () => {
      await stack.temporal.start();
      const planted = new Map([
        ['given to Temporal', randomBytes(24).toString('base64url')],
        ['given to the database', randomBytes(24).toString('base64url')],
        ['given to Relink', randomBytes(24).toString('base64url')],
      ]);
      const connection = await Connection.connect({ address: stack.temporalAddress });
      await new Client({ connection }).workflow.start('reauth', {
        taskQueue: 'nobody-polls-this',
        workflowId: 'planted',
        args: [{ sessionId: `Bearer ${planted.get('given to Temporal')}` }],
      });
      await connection.close();
      await stack.database.provoke(planted.get('given to the database') ?? '');
      const broken = await stack
        .startServer({ RELINK_HOST: `${planted.get('given to Relink')}.invalid` })
        .catch(() => null);
      expect(broken).toBeNull();
      await until('all three are found', async () => (await findSecrets(await writtenFiles(), planted)).length >= 3);
      const found = (await findSecrets(await writtenFiles(), planted)).join('\n');
      expect(found).toMatch(/given to Temporal in temporal\.db/);
      expect(found).toContain(`given to the database in ${databaseLog}`);
      expect(found).toMatch(/given to Relink in server-\d+\.log/);
    }, 60_000);

    it('are recognised however they are written', () => {
      const secret = 'p+ss/w"rd ü-_~0123456789';
      const texts = [
        `x=${encodeURIComponent(secret)}&`,
        `x=${new URLSearchParams({ v: secret }).toString()}`,
        JSON.stringify({ secret }),
        Buffer.from(secret).toString('hex'),
        ...['', 'a', 'ab', 'abc'].flatMap(before => {
          const bytes = Buffer.from(`${before}${secret}and more`);
          return [bytes.toString('base64'), bytes.toString('base64url')];
        }),
      ];
      for (const text of texts) expect(formsOf(secret).some(form => Buffer.from(text).includes(form))).toBe(true);
      expect(formsOf(secret).some(form => Buffer.from('p+ss/w rd').includes(form))).toBe(false);
    });
  });
});
