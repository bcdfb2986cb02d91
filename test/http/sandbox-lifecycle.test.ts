import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxPaths } from '../../src/embedded/sandbox/paths.js';
import { startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { callControl, connectAccount, fetchIdentity, refresh, testClient } from '../support/sandbox-client.js';

describe('the sandbox provider: starting and stopping', () => {
  let directory: string;
  let stateFile: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'relink-sandbox-'));
    stateFile = join(directory, 'state', 'sandbox.json');
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('grants, tokens and revocations outlive a restart in a file that holds no token', async () => {
    const before = await startSandbox({ clients: [testClient], stateFile });
    const kept = await connectAccount(before, 'globex');
    const spent = await connectAccount(before, 'initech');
    const next = await refresh(before, spent.refresh_token ?? '');
    const revoked = await connectAccount(before, 'hooli');
    await callControl(before, 'POST', '/accounts/hooli/revoke');
    await before.close();

    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
    const text = await readFile(stateFile, 'utf8');
    for (const token of [kept.access_token, kept.refresh_token, next.refresh_token]) expect(text).not.toContain(token);

    const after = await startSandbox({ clients: [testClient], stateFile });
    try {
      expect((await fetchIdentity(after, kept.access_token)).status).toBe(200);
      expect((await fetchIdentity(after, revoked.access_token)).status).toBe(401);
      const renewed = await refresh(after, kept.refresh_token ?? '');
      expect((await fetchIdentity(after, renewed.access_token)).status).toBe(200);
      await expect(refresh(after, spent.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
      await callControl(after, 'POST', '/accounts/globex/revoke');
      expect((await fetchIdentity(after, kept.access_token)).status).toBe(401);
    } finally {
      await after.close();
    }
  });

  test('writes while it runs, not only at the end', async () => {
    const sandbox = await startSandbox({ clients: [testClient], stateFile });
    try {
      await connectAccount(sandbox, 'acme');
      const written = async (): Promise<boolean> =>
        (await readFile(stateFile, 'utf8').catch(() => '')).includes('AccessToken');
      for (let i = 0; i < 40 && !(await written()); i += 1) await new Promise(resolve => setTimeout(resolve, 50));
      expect(await written()).toBe(true);
    } finally {
      await sandbox.close();
    }
  });

  test.each(['torn', 'foreign'])('a %s state file does not stop the start', async damage => {
    const before = await startSandbox({ clients: [testClient], stateFile });
    const tokens = await connectAccount(before, 'acme');
    await before.close();
    if (damage === 'torn') await truncate(stateFile, 40);
    else await writeFile(stateFile, '{"version":9,"records":"?"}');
    const after = await startSandbox({ clients: [testClient], stateFile });
    try {
      expect((await fetchIdentity(after, tokens.access_token)).status).toBe(401);
      const again = await connectAccount(after, 'acme');
      expect((await fetchIdentity(after, again.access_token)).status).toBe(200);
    } finally {
      await after.close();
    }
  });

  test('without a state file nothing survives', async () => {
    const before = await startSandbox({ clients: [testClient] });
    const tokens = await connectAccount(before, 'acme');
    await before.close();
    const after = await startSandbox({ clients: [testClient] });
    try {
      expect((await fetchIdentity(after, tokens.access_token)).status).toBe(401);
    } finally {
      await after.close();
    }
  });

  test('close does not wait for a hanging request', async () => {
    const sandbox = await startSandbox({ clients: [testClient] });
    await callControl(sandbox, 'POST', '/faults', { body: { endpoint: 'identity', kind: 'hang' } });
    const hanging = fetch(sandbox.url + sandboxPaths.identity).catch(() => 'broken');
    await callControl(sandbox, 'GET', '/counters');
    await sandbox.close();
    expect(await hanging).toBe('broken');
  });

  test('a taken port is an error with its code', async () => {
    const sandbox = await startSandbox({ clients: [testClient] });
    try {
      const port = Number(new URL(sandbox.url).port);
      await expect(startSandbox({ clients: [testClient], port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    } finally {
      await sandbox.close();
    }
  });

  test('nothing of oidc-provider reaches the console', async () => {
    const lines: unknown[] = [];
    const spies = (['warn', 'info', 'log', 'error'] as const).map(method =>
      jest.spyOn(console, method).mockImplementation((...args) => void lines.push(args)),
    );
    try {
      const sandbox = await startSandbox({ clients: [testClient] });
      const tokens = await connectAccount(sandbox, 'initech');
      await refresh(sandbox, tokens.refresh_token ?? '');
      await callControl(sandbox, 'POST', '/faults', { body: { endpoint: 'token', kind: 'lost', count: 1 } });
      await expect(refresh(sandbox, 'made-up')).rejects.toThrow('fetch failed');
      await sandbox.close();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(lines).toEqual([]);
  });
});
