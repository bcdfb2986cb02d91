import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkBuild } from '../support/e2e/check-build.js';
import { makeRunDirectory, type RunDirectory } from '../support/e2e/run-directory.js';
import { listTree, runScript, stillRunning } from '../support/e2e/run-script.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { findTestCli } from '../support/test-servers.js';

let run: RunDirectory;

beforeAll(async () => {
  checkBuild();
  run = await makeRunDirectory();
});
afterAll(() => run?.remove(), 30_000);

describe('npm run demo', () => {
  it.each(e2eStores('the demo'))(
    'on %s tells every story and ends with a line of JSON and exit code 0',
    async store => {
      const script = runScript(['scripts/run-cli.mjs', 'demo', '--store', store], {
        RELINK_DATA_DIRECTORY: join(run.path, store),
        RELINK_TEMPORAL_CLI: (await findTestCli()).path,
      });
      await run.remember(script.pid);
      // The MongoDB-compatible server may have to be built first.
      await script.untilPrinted(/Sandbox provider/, 240_000);
      const tree = await listTree(script.pid);
      const code = await script.exited;
      // What it told of the failure, and last.
      const failures = script.output().match(/^.*(?:failed|expected|, got |: got ).*$/gm) ?? [];
      expect([code, code === 0 ? '' : `${failures.join('\n')}\n${script.output().slice(-1_000)}`]).toEqual([0, '']);
      const result: unknown = JSON.parse(script.output().trimEnd().split('\n').at(-1) ?? '');
      const ok = 'ok';
      expect(result).toEqual({
        demo: ok,
        steps: expect.any(Number) as number,
        stories: {
          error: ok,
          disabled: ok,
          many_integrations: ok,
          needs_config: ok,
          wrong_account: ok,
          held: ok,
          held_then_disabled: ok,
          attio_dies: ok,
          rotating_survives: ok,
        },
        workflows: expect.arrayContaining([expect.stringMatching(/^reauth\/ses_/)]) as string[],
      });
      expect(await stillRunning(tree)).toEqual([]);
      expect(existsSync(join(run.path, store, 'demo', 'data'))).toBe(false);
    },
    480_000,
  );
});
