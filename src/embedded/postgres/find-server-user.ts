import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. For root: the `postgres` user of the system, made when absent; for everybody else
 * `undefined`, the server runs as the caller.
 *
 * @throws Error when the user is missing and cannot be made
 */
export async function findServerUser(onProgress: (line: string) => void): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await readIds();
  if (existing) return existing;
  onProgress('PostgreSQL does not run as root: adding the system user "postgres"');
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', 'postgres']);
  } catch (err) {
    throw new Error(
      'PostgreSQL does not run as root, and the user "postgres" could not be added. Run as another user, add it by hand, ' +
        'or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: err },
    );
  }
  const added = await readIds();
  if (!added) throw new Error('The user "postgres" was added but cannot be found by "id -u postgres".');
  return added;
}

async function readIds(): Promise<ServerUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
  } catch {
    return undefined;
  }
}
