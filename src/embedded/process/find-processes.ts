import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { readProcess, type RunningProcess } from './read-process.js';

const run = promisify(execFile);

/** The running processes whose command line, as {@link readProcess} gives it, `matches`. */
export async function findProcesses(matches: (commandLine: string) => boolean): Promise<RunningProcess[]> {
  const candidates = process.platform === 'linux' ? await listFromProc(matches) : await listFromPs(matches);
  const found = await Promise.all(candidates.map(readProcess));
  // Its pid may have gone to another process since the listing.
  return found.filter(running => running !== undefined).filter(running => matches(running.commandLine));
}

async function listFromProc(matches: (commandLine: string) => boolean): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const hits = await Promise.all(
    pids.map(async pid => {
      // It may have ended meanwhile.
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return matches(text.replace(/\0+$/, '').replaceAll('\0', ' ')) ? [Number(pid)] : [];
    }),
  );
  return hits.flat();
}

async function listFromPs(matches: (commandLine: string) => boolean): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'command='], {
    env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    maxBuffer: 64 * 2 ** 20,
  });
  return stdout.split('\n').flatMap(line => {
    const [, pid, commandLine = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid !== undefined && matches(commandLine) ? [Number(pid)] : [];
  });
}
