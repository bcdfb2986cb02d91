import { loadDatabaseUrl } from '../config.js';
import { ConfigError, RelinkError } from '../errors.js';
import { migrate } from '../store/postgres/migrate.js';

/** `npm run migrate`: brings the database of `DATABASE_URL` to the version of this release. */
async function main(): Promise<void> {
  const { applied } = await migrate(loadDatabaseUrl(process.env).reveal());
  for (const name of applied) console.log(`Applied ${name}`);
  console.log(applied.length === 0 ? 'The database is up to date.' : 'The database is migrated.');
}

main().catch((error: unknown) => {
  const known = error instanceof RelinkError || error instanceof ConfigError;
  console.error(known ? error.message : error);
  process.exitCode = 1;
});
