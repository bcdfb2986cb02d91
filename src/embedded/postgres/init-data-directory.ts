import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Location } from './choose-location.js';
import type { ServerUser } from './find-server-user.js';

const run = promisify(execFile);

/** What the server and initdb see of the environment: nothing of the caller's. */
export const serverEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' } as const;

/**
 * The superuser's password, kept in `directory`/password (mode 0600); made when absent.
 *
 * @throws Error when there is data in `location` whose password file was deleted
 */
export async function readOrMakePassword(directory: string, location: Location): Promise<string> {
  const file = join(directory, 'password');
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  if (existsSync(location.data)) {
    throw new Error(`${file} is missing but there is data in ${location.data}: restore the file, or delete the data.`);
  }
  const password = randomBytes(24).toString('hex');
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}

/**
 * Runs initdb beside the data directory and renames the result into place: an initdb that was cut short leaves no data
 * directory, and is done again. UTF-8 with PostgreSQL's built-in C.UTF-8, the same on every system.
 */
export async function initDataDirectory(location: Location, password: string, user: ServerUser | undefined) {
  const draft = join(location.parent, 'data.new');
  const passwordFile = join(location.parent, 'data.new.password');
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) await Promise.all([draft, passwordFile].map(path => chown(path, user.uid, user.gid)));
  try {
    await run(
      join(location.binaries, 'bin', 'initdb'),
      [
        `--pgdata=${draft}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
      ],
      { ...user, cwd: location.parent, env: serverEnvironment },
    );
  } catch (err) {
    const { stderr } = err as { stderr?: string };
    throw new Error(`initdb of the embedded PostgreSQL failed: ${(stderr ?? String(err)).trim()}`, { cause: err });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, location.data);
}
