import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { callControl, fetchIdentity, mintToken, testClient } from '../support/sandbox-client.js';

interface Keys {
  api_key: { apiKey: string };
  basic: { username: string; password: string };
  client_credentials: { clientId: string; clientSecret: string };
}

describe('the sandbox provider: keys of an account', () => {
  let sandbox: Sandbox;
  let directory: string;
  const controlKey = 'control-key-of-the-test';
  const start = () => startSandbox({ clients: [testClient], controlKey, stateFile: join(directory, 'sandbox.json') });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'relink-sandbox-'));
    sandbox = await start();
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(directory, { recursive: true });
  });

  async function createKey<Kind extends keyof Keys>(kind: Kind, login = 'acme'): Promise<Keys[Kind]> {
    const answer = await callControl(sandbox, 'POST', `/accounts/${login}/keys`, { body: { kind } });
    expect(answer.status).toBe(201);
    return (await answer.json()) as Keys[Kind];
  }
  const ask = (headers: Record<string, string>) => fetch(`${sandbox.url}/identity`, { headers });
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  test('an API key is taken in its own header, and no other one is', async () => {
    const { apiKey } = await createKey('api_key');
    const answer = await ask({ 'x-api-key': apiKey });
    expect(await answer.json()).toMatchObject({ account_id: 'acct_acme', user_id: 'user_acme_owner' });
    expect((await ask({ 'x-api-key': `${apiKey}x` })).status).toBe(401);
    expect((await fetchIdentity(sandbox, apiKey)).status).toBe(401);
  });

  test('user name and password are taken by HTTP Basic, and not with a wrong password', async () => {
    const { username, password } = await createKey('basic', 'globex');
    expect(await (await ask(basic(username, password))).json()).toMatchObject({ account_id: 'acct_globex' });
    expect((await ask(basic(username, 'wrong'))).status).toBe(401);
  });

  test('a client mints tokens by client credentials; each request counts', async () => {
    const key = await createKey('client_credentials', 'initech');
    await callControl(sandbox, 'DELETE', '/counters');
    const tokens = await mintToken(sandbox, key);
    expect(tokens).toMatchObject({ expires_in: 60 });
    expect(tokens.refresh_token).toBeUndefined();
    expect(await (await fetchIdentity(sandbox, tokens.access_token)).json()).toMatchObject({
      account_id: 'acct_initech',
    });
    await expect(mintToken(sandbox, { ...key, clientSecret: 'wrong' })).rejects.toMatchObject({ status: 401 });
    expect(await (await callControl(sandbox, 'GET', '/counters')).json()).toMatchObject({
      by_grant_type: { client_credentials: 2 },
    });
  });

  test('expire ends minted tokens; revoke ends keys and what they minted', async () => {
    const { apiKey } = await createKey('api_key', 'hooli');
    const { username, password } = await createKey('basic', 'hooli');
    const client = await createKey('client_credentials', 'hooli');
    const expired = await mintToken(sandbox, client);
    await callControl(sandbox, 'POST', '/accounts/hooli/expire');
    expect((await fetchIdentity(sandbox, expired.access_token)).status).toBe(401);
    const minted = await mintToken(sandbox, client);
    expect((await fetchIdentity(sandbox, minted.access_token)).status).toBe(200);

    await callControl(sandbox, 'POST', '/accounts/hooli/revoke');
    expect((await ask({ 'x-api-key': apiKey })).status).toBe(401);
    expect((await ask(basic(username, password))).status).toBe(401);
    expect((await fetchIdentity(sandbox, minted.access_token)).status).toBe(401);
    await expect(mintToken(sandbox, client)).rejects.toMatchObject({ status: 401 });
  });

  test('keys outlive a restart in a file that does not hold them', async () => {
    const { apiKey } = await createKey('api_key', 'umbrella-ann');
    const client = await createKey('client_credentials', 'umbrella-ann');
    await sandbox.close();
    const text = await readFile(join(directory, 'sandbox.json'), 'utf8');
    expect(text).not.toContain(apiKey);
    expect(text).not.toContain(client.clientSecret);
    sandbox = await start();
    expect((await ask({ 'x-api-key': apiKey })).status).toBe(200);
    await expect(mintToken(sandbox, client)).resolves.toBeDefined();
  });

  test('a key belongs to one login', async () => {
    const answer = await callControl(sandbox, 'POST', '/accounts/acct_umbrella/keys', { body: { kind: 'basic' } });
    expect(answer.status).toBe(400);
  });
});
