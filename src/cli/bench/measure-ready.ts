import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../config.js';
import { removeEmbeddedPostgres } from '../../embedded/postgres/remove-embedded-postgres.js';
import { round } from './statistics.js';

/** Seconds from `npm start` (an installed, built checkout) to its ready line: on an empty data directory, and again. */
export async function measureReady(root: string, environment: Environment): Promise<{ first: number; again: number }> {
  const directory = join(root, 'bench-start');
  await removeEmbeddedPostgres(join(directory, 'postgres'), () => undefined);
  await rm(directory, { recursive: true, force: true });
  const first = await startOnce(directory, environment);
  const again = await startOnce(directory, environment);
  return { first, again };
}

function startOnce(directory: string, environment: Environment): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn('npm', ['start', '--silent'], {
      env: { ...environment, RELINK_DATA_DIRECTORY: directory, RELINK_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let seconds: number | undefined;
    const timer = setTimeout(() => child.kill('SIGTERM'), 120_000);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (seconds === undefined && output.includes('Ready in')) {
        seconds = (performance.now() - startedAt) / 1000;
        child.kill('SIGINT');
      }
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      if (seconds === undefined) reject(new Error(`npm start did not become ready:\n${output}`));
      else resolve(round(seconds, 1));
    });
  });
}
