import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkBuild } from '../support/e2e/check-build.js';
import { report } from '../support/test-servers.js';
import { connectAndIntegrate, expectWorking } from '../support/e2e/scenes.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { type E2eStack, startE2eStack } from '../support/e2e/start-e2e-stack.js';

const root = join(__dirname, '../..');

/** A command as an operator runs it; its exit code and everything it printed. */
function run(command: string, databaseUrl: string, ...args: string[]): Promise<{ code: number; printed: string }> {
  const script = ['scripts/run-cli.mjs', command, ...args];
  return new Promise(resolve => {
    const env = { ...process.env, DATABASE_URL: databaseUrl };
    const child = execFile(process.execPath, script, { cwd: root, env }, (_error, out, told) => {
      resolve({ code: child.exitCode ?? -1, printed: `${out}${told}` });
    });
  });
}

/** From PostgreSQL into a MongoDB and back into an empty PostgreSQL database, as docs/databases.md tells it. */
const stores = e2eStores('moving to another store', true);
if (stores.length < 2)
  report('NOT TESTED: moving to another store: RELINK_TEST_STORE or this machine leaves one store alone');
(stores.length === 2 ? describe : describe.skip)('moving everything to another store', () => {
  let from: E2eStack;
  let to: E2eStack;

  beforeAll(async () => {
    checkBuild();
    from = await startE2eStack();
    to = await startE2eStack({ store: 'mongo', temporalAway: true });
  }, 300_000);
  afterAll(async () => {
    await Promise.all([from?.stop(), to?.stop()]);
  }, 60_000);

  it('leaves a service that goes on where the old one stopped, with the same keys', async () => {
    const file = join(from.directory, 'relink.jsonl');
    const old = { server: await from.startServer(), worker: await from.startWorker() };
    const user = from.user();
    const connected = await connectAndIntegrate(user, 'globex');
    const before = await from.database.snapshot(user.userId);
    await Promise.all([old.server.process.stop(), old.worker.stop()]);

    const exported = await run('export', from.databaseUrl, file);
    expect(exported.code).toBe(0);
    const [note = '', ...counts] = exported.printed.split('\n');
    expect(note).toMatch(/still runs .* is not in the file/);
    expect(counts.join('\n')).toMatch(/^credentials: 1\n[^]*checksum \w+/);
    expect(await run('import', to.databaseUrl, file)).toMatchObject({
      code: 0,
      printed: counts.join('\n').replace('Exported to', 'Imported from'),
    });
    expect(await to.database.snapshot(user.userId)).toBe(before);

    const settings = { DATABASE_URL: to.databaseUrl };
    await from.startServer(settings);
    await from.startWorker(settings);
    await expectWorking(user, connected);
    // What was sealed there is opened here.
    expect((await user.post(`${connected.credentialPath}/test`)).status).toBe(202);
    await user.until(connected.credentialPath, found => found.last_test?.outcome === 'ok');
    const again = await user.connect('globex', { entityId: connected.entityId });
    expect(again.body).toMatchObject({ entity_id: connected.entityId, credential_id: connected.credentialId });
  }, 120_000);

  it('says in one line what it cannot read, write or reach, and leaves nothing half written', async () => {
    const nowhere = join(from.directory, 'no', 'such', 'folder', 'relink.jsonl');
    for (const command of ['export', 'import']) {
      const { code, printed } = await run(command, from.databaseUrl, nowhere);
      expect([code, printed.trimEnd()]).toEqual([1, `${nowhere} cannot be opened: no such file or directory`]);
      expect(existsSync(nowhere)).toBe(false);
      const away = await run(
        command,
        'mongodb://relink:hidden-password@127.0.0.1:9/relink',
        join(root, 'package.json'),
      );
      expect(away).toEqual({
        code: 1,
        printed: 'DATABASE_URL: nothing listens at 127.0.0.1:9 (database "relink")\n',
      });
    }
  }, 60_000);
});
