import { setTimeout as sleep } from 'node:timers/promises';
import { spawnTypescript } from '../support/spawn-typescript.js';

/** Runs a role until it has ended, with these signals at these milliseconds after it was ready. */
async function run(args: readonly string[], signals: readonly (readonly [number, NodeJS.Signals])[] = []) {
  const { child, firstLine, exitCode } = spawnTypescript('run-fake-role', args);
  let output = '';
  let errors = '';
  child.stdout?.on('data', chunk => (output += String(chunk)));
  child.stderr?.on('data', chunk => (errors += String(chunk)));
  await firstLine;
  const readyAt = Date.now();
  for (const [atMs, signal] of signals) {
    await sleep(Math.max(readyAt + atMs - Date.now(), 0));
    child.kill(signal);
  }
  const code = await exitCode;
  return { code, output, errors, afterMs: Date.now() - readyAt };
}

test.each(['throw', 'reject'])(
  'what nobody catches (%s) is logged as fatal, and the role stops with code 1',
  async how => {
    const { code, output } = await run(['0', '45000', how]);
    expect(code).toBe(1);
    expect(output).toMatch(/"level":"fatal".*"error":\{"type":"Error","message":"(thrown|rejected) past everybody"/);
    expect(output).toContain('Stopped fake');
  },
);

test.each([
  ['settings', 'fake cannot start: FIRST is required\nfake cannot start: SECOND must be a number\n'],
  [
    'refused',
    'fake cannot start: The database is not at the version this release needs. Run `npm run migrate`. (pending: one)\n',
  ],
])('what can be foreseen (%s) ends the start with code 1 and a plain line for each problem', async (how, told) => {
  const { code, output, errors } = await run(['0', '45000', how]);
  expect(code).toBe(1);
  expect(errors).toBe(told);
  expect(output).not.toContain('"level"');
});

test('the same Ctrl-C delivered three times is one: the stop is waited for', async () => {
  const { code, output } = await run(
    ['1500'],
    [
      [100, 'SIGINT'],
      [110, 'SIGINT'],
      [120, 'SIGTERM'],
    ],
  );
  expect(code).toBe(0);
  expect(output.match(/Stopping fake/g)).toHaveLength(1);
  expect(output).toContain('Stopped fake');
});

test.each<[string, readonly (readonly [number, NodeJS.Signals])[]]>([
  ['stopped before it was ready', [[100, 'SIGINT']]],
  ['ready at last', [[1_500, 'SIGINT']]],
])('a start knows whether a stop was asked for meanwhile (%s)', async (told, signals) => {
  const { code, output } = await run(['0', '45000', 'slow'], signals);
  expect(code).toBe(0);
  expect(output).toContain(told);
  expect(output).toContain('Stopped fake');
});

test('a second signal more than a second later ends the role at once with code 130', async () => {
  const { code, output, afterMs } = await run(
    ['20000'],
    [
      [100, 'SIGTERM'],
      [1400, 'SIGTERM'],
    ],
  );
  expect(code).toBe(130);
  expect(afterMs).toBeLessThan(10_000);
  expect(output).toContain('SIGTERM again');
});

test('a stop that takes longer than its bound ends with code 1 and a line', async () => {
  const { code, output } = await run(['20000', '1500'], [[100, 'SIGTERM']]);
  expect(code).toBe(1);
  expect(output).toMatch(/"level":"fatal".*did not stop within 1.5 s/);
});

test('a role that needs longer for its stop says so itself', async () => {
  const { code, output } = await run(['1500', '500', 'patient'], [[100, 'SIGTERM']]);
  expect(code).toBe(0);
  expect(output).toContain('Stopped fake');
});
