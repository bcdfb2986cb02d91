import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface Migration {
  /** The folder's name, such as `20261123000000_init`. Migrations run in the order of their names. */
  readonly name: string;
  readonly sql: string;
  /** Hexadecimal SHA-256 of the file's bytes, as Prisma computes it. */
  readonly checksum: string;
}

/** `prisma/migrations` of this package: `src/store/postgres` and `dist/store/postgres` lie equally deep. */
export const migrationsFolder = path.resolve(__dirname, '../../../prisma/migrations');

/** Reads every committed migration, oldest first. */
export async function readMigrations(folder: string = migrationsFolder): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort();
  return Promise.all(
    names.map(async name => {
      const bytes = await readFile(path.join(folder, name, 'migration.sql'));
      return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}
