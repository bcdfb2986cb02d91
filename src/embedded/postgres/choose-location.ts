/**
 * Where the files go. Normally where the caller says. As root the server runs as the `postgres` user, which cannot enter
 * a clone below a private directory (a home or a mkdtemp directory of mode 0700): then the binaries are copied and the
 * data is placed under /var/tmp, at a path that follows from the wanted directory, so that the next start finds it.
 * The password stays in the wanted directory; without it, data under /var/tmp is that of a deleted clone and is dropped.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ServerUser } from './find-server-user.js';

export interface Location {
  /** Holds bin/, lib/ and share/, readable by the server's user. */
  readonly binaries: string;
  /** The parent of `data`, enterable by the server's user. */
  readonly parent: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
}

/** @throws Error when existing data can no longer be reached by the server's user */
export async function chooseLocation(
  wanted: string,
  native: string,
  user: ServerUser | undefined,
  onProgress: (line: string) => void,
): Promise<Location> {
  const here = { binaries: native, parent: wanted, data: join(wanted, 'data') };
  if (!user) return here;

  const elsewhere = relocatedDirectory(wanted);
  const reachable = mayUse(user, '-x', wanted);
  if (existsSync(here.data)) {
    if (reachable) return { ...here, binaries: await shareBinaries(native, user, onProgress) };
    throw new Error(
      `The user "postgres" cannot enter ${wanted}, where the data is: a directory above it is private. ` +
        'Open that directory (chmod o+x), or delete the data to begin anew.',
    );
  }
  const keepsPassword = existsSync(join(wanted, 'password'));
  const binaries = await shareBinaries(native, user, onProgress);
  if (reachable && !(keepsPassword && existsSync(elsewhere))) return { ...here, binaries };

  onProgress(`PostgreSQL: the user "postgres" cannot enter ${wanted}, the data is kept in ${elsewhere}`);
  await makeOwnDirectory(elsewhere);
  if (!keepsPassword) await rm(join(elsewhere, 'data'), { recursive: true, force: true });
  return { binaries, parent: elsewhere, data: join(elsewhere, 'data') };
}

/** Where the data of `wanted` is kept when the server's user cannot enter it. */
export function relocatedDirectory(wanted: string): string {
  return join(sharedBase(), `relink-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`);
}

const sharedBase = () => (existsSync('/var/tmp') ? '/var/tmp' : tmpdir());

async function shareBinaries(native: string, user: ServerUser, onProgress: (line: string) => void): Promise<string> {
  if (mayUse(user, '-x', join(native, 'bin', 'postgres')) && mayUse(user, '-r', join(native, 'share', 'postgresql'))) {
    return native;
  }
  const manifest = await readFile(join(dirname(native), 'package.json'), 'utf8');
  const { name, version } = JSON.parse(manifest) as { name: string; version: string };
  const directory = join(sharedBase(), `relink-postgresql-${version}-${name.slice(name.indexOf('/') + 1)}`);
  await makeOwnDirectory(directory);
  const copy = join(directory, 'native');
  if (!existsSync(copy)) {
    onProgress(`PostgreSQL: the user "postgres" cannot read the installed binaries, copying them to ${directory}`);
    const draft = `${copy}.${randomUUID()}`;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX,go-w', draft]);
    // Another process may have been faster; its copy is as good.
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return copy;
}

/** Made by us and writable by nobody else: /var/tmp is everybody's, and these names can be guessed. */
async function makeOwnDirectory(directory: string): Promise<void> {
  await mkdir(directory).catch((err: unknown) => {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
  });
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(
      `${directory} belongs to somebody else. Remove it, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  await chmod(directory, 0o755);
}

/** Asks the system instead of reading mode bits: every directory above, and access lists, count too. */
function mayUse(user: ServerUser, test: '-x' | '-r', path: string): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', `test ${test} "$1"`, 'sh', path], { ...user, cwd: '/' });
  return status === 0;
}
