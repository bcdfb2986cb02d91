import { checkBuild } from '../support/e2e/check-build.js';
import { makeRunDirectory, type RunDirectory } from '../support/e2e/run-directory.js';
import { listTree, runScript, stillRunning } from '../support/e2e/run-script.js';

let run: RunDirectory;

beforeAll(async () => {
  checkBuild();
  run = await makeRunDirectory();
});
afterAll(() => run?.remove(), 30_000);

describe('npm run bench:stores', () => {
  it('in its quick form measures every operation, looks at the plans, and ends with a line of JSON', async () => {
    const script = runScript(['scripts/run-cli.mjs', 'bench-stores', '--quick', '--stores', 'postgres'], {
      RELINK_DATA_DIRECTORY: run.path,
    });
    await run.remember(script.pid);
    await script.untilPrinted(/operations a second/);
    const tree = await listTree(script.pid);
    expect(await script.exited).toBe(0);
    const lines = script.output().trimEnd().split('\n');
    expect(lines.filter(line => / ratio [\d.]+$/.test(line)).length).toBeGreaterThan(50);
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
      bench: 'stores',
      min_ratio: expect.any(Number) as number,
      scans: 0,
      plans_checked: { postgres: 41, mongo: 0 },
    });
    expect(await stillRunning(tree)).toEqual([]);
  }, 180_000);

  it('refuses a store that does not exist', async () => {
    const script = runScript(['scripts/run-cli.mjs', 'bench-stores', '--stores', 'mysql'], {
      RELINK_DATA_DIRECTORY: run.path,
    });
    expect(await script.exited).toBe(1);
    expect(script.output()).toContain('--stores takes postgres, mongo, documentdb');
  });
});
