import { spawn } from 'node:child_process';
import { root } from './paths.mjs';
import { noteCommand } from './setup-lock.mjs';

/** Thrown with everything that the command printed; the message is one sentence. */
export class CommandError extends Error {
  constructor(message, output) {
    super(message);
    this.output = output;
  }
}

/**
 * Runs a command with one line before and one after it; its own output is shown only when it fails.
 *
 * @param {string} label what the lines call it, for example "dependencies (npm ci)"
 * @param {Record<string, string>} environment added to ours
 * @throws {CommandError} when it exits with another code than 0, or cannot be run
 */
export async function runQuietly(label, command, args, environment = {}) {
  console.error(`setup: ${label} …`);
  const startedAt = Date.now();
  const { code, output } = await capture(command, args, { environment, onSpawn: noteCommand });
  if (code !== 0) throw new CommandError(`setup: ${label} failed`, output);
  console.error(`setup: ${label} done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** Runs a command in the root and collects what it prints, both streams in the order of arrival. */
export function capture(command, args, { environment = {}, onSpawn = () => {} } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    child.on('spawn', () => onSpawn(child.pid));
    const chunks = [];
    child.stdout.on('data', chunk => chunks.push(chunk));
    child.stderr.on('data', chunk => chunks.push(chunk));
    child.on('error', err => resolve({ code: 127, output: `${command} cannot be run: ${err.message}\n` }));
    child.on('close', code => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
