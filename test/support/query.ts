import { Client } from 'pg';

/** Runs one statement on a test's database, to bring about or to see what no caller of ours can. */
export async function query(databaseUrl: string, sql: string, values: readonly unknown[]): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
