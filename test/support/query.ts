import { Client } from 'pg';

/** Runs one statement on a test's database, to bring about what no caller of ours can. */
export async function query(databaseUrl: string, sql: string, values: readonly unknown[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
}
