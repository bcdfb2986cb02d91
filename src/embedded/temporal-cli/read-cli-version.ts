import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first release whose dev server (1.32) and flags are the ones the project is tested with. */
export const minimumCliVersion = '1.9.0';

export type CliVersion =
  | { readonly usable: true; readonly version: string }
  /** `problem` says why not and follows the path in a sentence. */
  | { readonly usable: false; readonly problem: string };

/** Runs `<executable> --version` ("temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"). */
export async function readCliVersion(executable: string): Promise<CliVersion> {
  try {
    const { stdout } = await run(executable, ['--version'], { timeout: 30_000 });
    const version = /version v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version === undefined) return { usable: false, problem: 'is not the Temporal CLI' };
    if (isOlder(version, minimumCliVersion)) {
      return { usable: false, problem: `is ${version}, older than ${minimumCliVersion}` };
    }
    return { usable: true, version };
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { usable: false, problem: 'does not exist' };
    return { usable: false, problem: `does not run (${message.trim()})` };
  }
}

function isOlder(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) < 0;
}
