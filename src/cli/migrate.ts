import { loadDatabaseUrl } from '../config.js';
import { ConfigError, RelinkError } from '../errors.js';
import { explainStoreError, migrateStore } from '../store/open-store.js';
import { refuseArguments } from './refuse-arguments.js';

/** `npm run migrate`: brings the database of `DATABASE_URL` to the version of this release. */
async function main(): Promise<void> {
  refuseArguments(process.argv.slice(2), [], []);
  const databaseUrl = loadDatabaseUrl(process.env).reveal();
  const { applied, notes = [] } = await migrateStore(databaseUrl).catch(async (error: unknown) => {
    throw await explainStoreError(error, databaseUrl);
  });
  for (const name of applied) console.log(`Applied ${name}`);
  for (const note of notes) console.log(note);
  console.log(applied.length === 0 ? 'The database is up to date.' : 'The database is migrated.');
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) for (const problem of error.problems) console.error(problem);
  else console.error(error instanceof RelinkError ? error.message : error);
  process.exitCode = 1;
});
