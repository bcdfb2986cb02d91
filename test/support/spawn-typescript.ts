import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface TypescriptProcess {
  readonly child: ChildProcess;
  /** The first line of its output, parsed as JSON. */
  readonly firstLine: Promise<unknown>;
  /** Its exit code; null when a signal ended it. */
  readonly exitCode: Promise<number | null>;
}

/** Runs test/support/embedded/<script>.ts in a process of its own; it answers with one line of JSON. */
export function spawnTypescript(script: string, args: readonly string[], path?: string): TypescriptProcess {
  const child = spawn(
    process.execPath,
    [join(__dirname, 'run-typescript.cjs'), join(__dirname, 'embedded', `${script}.ts`), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], ...(path !== undefined && { env: { PATH: path } }) },
  );
  let errors = '';
  child.stderr.on('data', chunk => (errors += String(chunk)));
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  const firstLine = Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => JSON.parse(String(line)) as unknown),
    exitCode.then(code => Promise.reject(new Error(`${script} ended (${code}) without a word: ${errors}`))),
  ]);
  return { child, firstLine, exitCode };
}
