import { Client, escapeIdentifier, type DatabaseError } from 'pg';

/** 42P04 duplicate_database; 23505 when two sessions create it in the same instant. */
const alreadyThere = new Set(['42P04', '23505']);

/**
 * Creates database `name` on the server of `url` when it does not exist.
 *
 * @param url any database of the server, with the right to create databases
 */
export async function ensureDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } catch (err) {
    if (!alreadyThere.has((err as DatabaseError).code ?? '')) throw err;
  } finally {
    await client.end();
  }
}
