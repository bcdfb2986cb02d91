import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { ApiClient } from '../../src/cli/api-client.js';
import { checkBuild } from '../support/e2e/check-build.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { makeRunDirectory, type RunDirectory } from '../support/e2e/run-directory.js';
import { listTree, runScript, type RunningScript, stillRunning } from '../support/e2e/run-script.js';
import { untilRestored } from '../support/e2e/scenes.js';
import { until } from '../support/e2e/until.js';
import { findTestCli } from '../support/test-servers.js';

let run: RunDirectory;
let data: string;
let temporalCli: string;
const scripts: RunningScript[] = [];

describe.each(e2eStores('npm start'))('npm start on %s', store => {
  const databaseProgram = store === 'postgres' ? 'bin/postgres' : 'mongo-server-';

  beforeAll(async () => {
    checkBuild();
    run = await makeRunDirectory();
    data = join(run.path, 'data');
    temporalCli = (await findTestCli()).path;
  }, 60_000);
  afterAll(async () => {
    for (const script of scripts) {
      for (const { pid } of await listTree(script.pid)) process.kill(pid, 'SIGKILL');
    }
    await run?.remove();
  }, 60_000);

  /** What `npm start` runs. */
  const start = () => {
    const script = runScript(['scripts/start.mjs', ...(store === 'postgres' ? [] : ['--store', store])], {
      RELINK_DATA_DIRECTORY: data,
      RELINK_TEMPORAL_CLI: temporalCli,
      RELINK_TEST_GRACE_MS: '10',
    });
    scripts.push(script);
    return script;
  };

  async function startAndWait(): Promise<{ script: RunningScript; user: ApiClient; seconds: number }> {
    const script = start();
    const [, seconds = '', url = ''] = await script.untilPrinted(/Ready in ([\d.]+) s: (\S+)/);
    for (const { pid } of await listTree(script.pid)) await run.remember(pid);
    const secrets = z
      .object({ apiKey: z.string() })
      .parse(JSON.parse(await readFile(join(data, 'secrets.json'), 'utf8')));
    return { script, user: new ApiClient(url, secrets.apiKey, 'developer'), seconds: Number(seconds) };
  }

  /** Ctrl-C, and nothing is left of it. */
  async function interruptAndLook(script: RunningScript): Promise<void> {
    const tree = await listTree(script.pid);
    const commands = tree.map(({ commandLine }) => commandLine).join('\n');
    for (const part of ['start.mjs', 'dev.js', databaseProgram, 'server start-dev']) expect(commands).toContain(part);
    script.interrupt();
    expect(await script.exited).toBe(0);
    expect(await stillRunning(tree)).toEqual([]);
  }

  let credentialId: string | undefined;

  it('becomes ready on an empty directory, also where its port is taken, and connects an account', async () => {
    // Somebody else's service, unless the port is taken anyway.
    const other: Server = createServer();
    await new Promise<void>(resolve => {
      other.once('error', () => resolve()).listen(3000, '127.0.0.1', () => resolve());
    });
    const { script, user } = await startAndWait();
    expect(script.output()).toMatch(/Relink: port 3000 is taken, using 30\d\d/);
    expect(user.url).toMatch(/:30\d\d$/);
    expect(user.url).not.toMatch(/:3000$/);
    if (other.listening) await once(other.close(), 'close');

    const { attempt, status, body } = await user.connect('acme');
    expect(status).toBe(200);
    await untilRestored(user, attempt);
    credentialId = body.credential_id;
    expect((await stat(join(data, 'secrets.json'))).mode & 0o777).toBe(0o600);
    const refused = start();
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toMatch(new RegExp(`already running on ${data}: process \\d+, at ${user.url}`));
    expect((await user.get('/health')).status).toBe(200);
    await interruptAndLook(script);
  }, 90_000);

  it('finds its data again at the second start, within seconds', async () => {
    const { script, user, seconds } = await startAndWait();
    expect(seconds).toBeLessThan(15);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ id: credentialId, auth_is_valid: true }]);
    // The grant too: the provider that came along knows it still.
    await user.post(`/api/credentials/${credentialId}/test`);
    await user.until(`/api/credentials/${credentialId}`, found => found.last_test?.outcome === 'ok');
    await interruptAndLook(script);
  }, 90_000);

  it.each([
    ['the service', (tree: string) => tree.includes('dev.js')],
    ['everything at once', () => true],
  ])(
    'recovers by itself after kill -9 of %s',
    async (_what, isVictim) => {
      const { script } = await startAndWait();
      const tree = await listTree(script.pid);
      const victims = tree.filter(({ commandLine }) => isVictim(commandLine));
      expect(victims.length).toBeGreaterThan(0);
      for (const { pid } of victims) process.kill(pid, 'SIGKILL');
      await script.exited;
      await until('the killed processes are gone', async () => (await stillRunning(victims)).length === 0);

      const again = await startAndWait();
      expect(await stillRunning(tree)).toEqual([]);
      expect((await again.user.get('/api/credentials')).body.data).toMatchObject([{ id: credentialId }]);
      const { attempt, status } = await again.user.connect('acme');
      expect(status).toBe(200);
      await untilRestored(again.user, attempt);
      await interruptAndLook(again.script);
    },
    90_000,
  );

  it('stops what it had started when Ctrl-C comes before it is ready', async () => {
    const script = start();
    await script.untilPrinted(/(PostgreSQL|FerretDB\)): 127/);
    const tree = await listTree(script.pid);
    script.interrupt();
    await script.exited;
    await until('nothing is left', async () => (await stillRunning(tree)).length === 0);
    const { script: next } = await startAndWait();
    await interruptAndLook(next);
  }, 90_000);
});
