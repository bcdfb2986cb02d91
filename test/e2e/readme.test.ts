import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { driveConsent } from '../../src/embedded/sandbox/drive-consent.js';
import { checkBuild } from '../support/e2e/check-build.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { makeRunDirectory, type RunDirectory } from '../support/e2e/run-directory.js';
import { listTree, runScript, type RunningScript } from '../support/e2e/run-script.js';
import { followCallback } from '../support/follow-callback.js';
import { findTestCli } from '../support/test-servers.js';

const root = join(__dirname, '../..');
let run: RunDirectory;
let script: RunningScript;
let shell: ChildProcessWithoutNullStreams;
let steps: string[];

/** The README's walk, with this run's addresses, cut at its numbered comments. */
function readWalk(url: string, sandboxUrl: string, data: string): string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const [, walk = ''] = /<!-- run: test\/e2e\/readme.test.ts -->\s*```sh\n([\s\S]*?)```/.exec(text) ?? [];
  const here = walk
    .replaceAll('http://127.0.0.1:3000', url)
    .replaceAll('http://127.0.0.1:3001', sandboxUrl)
    .replaceAll('./.relink/', `${data}/`);
  return here.split(/^(?=# \d\.)/m);
}

/** Runs a part in the one shell of the walk and returns what it printed. */
async function type(part: string | undefined): Promise<string> {
  let printed = '';
  const take = (chunk: Buffer) => (printed += chunk.toString());
  shell.stdout.on('data', take);
  shell.stdin.write(`${part}\necho; echo end-of-part\n`);
  for (let look = 0; !printed.includes('end-of-part'); look += 1) {
    if (look > 400) throw new Error(`the shell does not answer to:\n${part}\n${printed}`);
    await sleep(50);
  }
  shell.stdout.off('data', take);
  return printed;
}

/** What a person does with the url that was printed. */
async function open(printed: string): Promise<void> {
  const url = /"url":"([^"]+)"/.exec(printed)?.[1] ?? '';
  const { finalUrl, cookies } = await driveConsent({ startUrl: url, account: 'acme' });
  expect((await followCallback(finalUrl, cookies)).status).toBe(200);
}

/** Repeats the part's last command, as a person who looks again, until it shows the status. */
async function lookUntil(part: string | undefined, status: string): Promise<void> {
  const look = part?.trim().split('\n').at(-1);
  for (let tries = 0; !(await type(look)).includes(`"status":"${status}"`); tries += 1) {
    if (tries > 100) throw new Error(`${look} never showed ${status}`);
    await sleep(100);
  }
}

describe.each(e2eStores('the README’s walk', false))('on %s', store => {
  beforeAll(async () => {
    checkBuild();
    run = await makeRunDirectory();
    const data = join(run.path, 'data');
    script = runScript(['scripts/start.mjs', ...(store === 'postgres' ? [] : ['--store', store])], {
      RELINK_DATA_DIRECTORY: data,
      RELINK_TEMPORAL_CLI: (await findTestCli()).path,
      RELINK_TEST_GRACE_MS: '10',
    });
    await run.remember(script.pid);
    const [, url = ''] = await script.untilPrinted(/Ready in [\d.]+ s: (\S+)/);
    const [, sandboxUrl = ''] = await script.untilPrinted(/Sandbox provider: (\S+)/);
    for (const { pid } of await listTree(script.pid)) await run.remember(pid);
    steps = readWalk(url, sandboxUrl, data);
    shell = spawn('sh', [], { stdio: 'pipe' });
  }, 90_000);
  afterAll(async () => {
    shell?.kill();
    script?.interrupt();
    await script?.exited;
    await run?.remove();
  }, 60_000);

  it('the first connection of the README works as it is written', async () => {
    expect(steps).toHaveLength(5);
    const [setUp, begin, integrate, breakIt, reconnect] = steps;
    await type(setUp);
    await open(await type(begin));
    expect(await type(integrate)).toContain('"status":"ENABLED"');
    await type(breakIt);
    await lookUntil(breakIt, 'ERROR');
    await open(await type(reconnect));
    await lookUntil(reconnect, 'ENABLED');
  }, 90_000);
});
