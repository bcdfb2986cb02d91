import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { driveConsent } from '../../../src/embedded/sandbox/drive-consent.js';
import { followCallback } from '../follow-callback.js';
import { findTestCli } from '../test-servers.js';
import { checkBuild } from './check-build.js';
import { makeRunDirectory } from './run-directory.js';
import type { E2eStore } from './start-e2e-stack.js';
import { listTree, type RunningScript, runScript } from './run-script.js';

const root = join(__dirname, '../../..');

/** A document's commands, typed into one shell by a person who follows them while `npm start` runs. */
export interface Walk {
  /** The commands, cut at their numbered comments, with this run's addresses. */
  readonly steps: readonly string[];
  /** What `npm start` runs. */
  readonly script: RunningScript;
  /** Runs a part and returns what it printed. */
  type(part: string | undefined): Promise<string>;
  /** Opens the url that was printed, and consents for the account Acme. */
  open(printed: string): Promise<void>;
  /** Repeats a part's last command, as a person who looks again, until it prints such text. */
  lookUntil(part: string | undefined, text: RegExp): Promise<void>;
  end(): Promise<void>;
}

export interface WalkOptions {
  readonly page: string;
  /** As the marker above the page's commands names it. */
  readonly test: string;
  readonly store: E2eStore;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts the service and reads the walk of a document. */
export async function startWalk({ page, test, store, settings }: WalkOptions): Promise<Walk> {
  checkBuild();
  const run = await makeRunDirectory();
  const data = join(run.path, 'data');
  const script = runScript(['scripts/start.mjs', ...(store === 'postgres' ? [] : ['--store', store])], {
    RELINK_DATA_DIRECTORY: data,
    RELINK_TEMPORAL_CLI: (await findTestCli()).path,
    RELINK_TEST_GRACE_MS: '10',
    ...settings,
  });
  const end = async () => {
    script.interrupt();
    await script.exited;
    await run.remove();
  };
  const untilReady = async () => {
    await run.remember(script.pid);
    const [, url = ''] = await script.untilPrinted(/Ready in [\d.]+ s: (\S+)/);
    const [, sandboxUrl = ''] = await script.untilPrinted(/Sandbox provider: (http\S+)/);
    for (const { pid } of await listTree(script.pid)) await run.remember(pid);
    return { url, sandboxUrl };
  };
  const { url, sandboxUrl } = await untilReady().catch(async (error: unknown) => {
    // With whatever it remembers.
    await run.remove();
    throw error;
  });
  const shell = spawn('sh', [], { stdio: 'pipe' });
  const shown: string[] = [];

  const type: Walk['type'] = async part => {
    let printed = '';
    const take = (chunk: Buffer) => (printed += chunk.toString());
    shell.stdout.on('data', take);
    shell.stdin.write(`${part}\necho; echo end-of-part\n`);
    for (let look = 0; !printed.includes('end-of-part'); look += 1) {
      if (look > 400) throw new Error(`the shell does not answer to:\n${part}\n${printed}`);
      await sleep(50);
    }
    shell.stdout.off('data', take);
    if (shown.at(-1) !== printed) shown.push(printed);
    return printed;
  };
  return {
    steps: readWalk(page, test)
      // At once: where 3000 is taken, Relink is at the sandbox's usual 3001.
      .replace(/http:\/\/127\.0\.0\.1:300([01])/g, (_all, which) => (which === '0' ? url : sandboxUrl))
      .replaceAll('./.relink/', `${data}/`)
      .split(/^(?=# \d\.)/m),
    script,
    type,
    async open(printed) {
      const startUrl = /"url":"([^"]+)"/.exec(printed)?.[1] ?? '';
      const { finalUrl, cookies } = await driveConsent({ startUrl, account: 'acme' });
      expect((await followCallback(finalUrl, cookies)).status).toBe(200);
    },
    async lookUntil(part, text) {
      const look = part?.trim().split('\n').at(-1);
      let printed = await type(look);
      for (const until = Date.now() + 30_000; !text.test(printed); printed = await type(look)) {
        if (Date.now() > until) {
          const told = [...shown, script.output().slice(-5_000)].join('\n---\n');
          throw new Error(`${look} never showed ${text.source}. Printed here, and by npm start:\n${told}`);
        }
        await sleep(100);
      }
    },
    async end() {
      shell.kill();
      await end();
    },
  };
}

function readWalk(page: string, test: string): string {
  const text = readFileSync(join(root, page), 'utf8');
  const [, walk = ''] = new RegExp(`<!-- run: ${test} -->\\s*\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text) ?? [];
  return walk;
}
