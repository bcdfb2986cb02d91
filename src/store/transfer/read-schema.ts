import { readMigrations } from '../postgres/read-migrations.js';

/**
 * What form this release's records have, by the name of PostgreSQL's newest migration: records are named by its columns,
 * whichever database they come from.
 */
export async function readSchema(): Promise<string> {
  return (await readMigrations()).at(-1)?.name ?? '';
}
