import { Client } from 'pg';

/** Takes a table away while `during` runs: every statement that needs it fails, as in a bad migration or a lost grant. */
export async function withoutTable<T>(databaseUrl: string, table: string, during: () => Promise<T>): Promise<T> {
  await run(databaseUrl, `ALTER TABLE ${table} RENAME TO ${table}_away`);
  try {
    return await during();
  } finally {
    await run(databaseUrl, `ALTER TABLE ${table}_away RENAME TO ${table}`);
  }
}

async function run(databaseUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
