import { Client, type QueryResultRow } from 'pg';
import { until } from './until.js';

/** A lock held by the test: what needs the locked rows waits. */
export interface HeldLock {
  release(): Promise<void>;
}

/** The stack's database as a test reaches into it; every call is a connection of its own, so it survives restarts. */
export class Database {
  constructor(private readonly url: () => string) {}

  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = await this.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs the statement in a transaction and keeps it open. */
  async hold(sql: string, values: unknown[] = []): Promise<HeldLock> {
    const client = await this.connect();
    // The test may kill the server under it.
    client.on('error', () => undefined);
    await client.query('BEGIN');
    const { rowCount } = await client.query(sql, values);
    if (rowCount === 0) throw new Error(`nothing to lock: ${sql}`);
    return { release: () => client.end().catch(() => undefined) };
  }

  /** Waits until one of Relink's statements that contains `fragment` waits for a lock. */
  async untilBlocked(fragment: string): Promise<void> {
    await until(`a statement with ${fragment} waits for a lock`, async () => {
      return (await this.blocked()).some(query => query.includes(fragment));
    });
  }

  async blocked(): Promise<string[]> {
    const rows = await this.query<{ query: string }>(
      `SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'relink'`,
    );
    return rows.map(row => row.query);
  }

  /** A killed client's statement goes on in the server until its lock comes; this takes it back. */
  async endBlocked(): Promise<void> {
    await this.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND application_name = 'relink'`,
    );
  }

  /** Every byte of a user's credentials, entities and integrations. */
  async snapshot(userId: string): Promise<string> {
    const rows = await this.query<{ line: string }>(
      ['credentials', 'entities', 'integrations']
        .map(table => `SELECT '${table} ' || row_to_json(t)::text AS line FROM ${table} t WHERE user_id = $1`)
        .join(' UNION ALL ') + ' ORDER BY line',
      [userId],
    );
    return rows.map(row => row.line).join('\n');
  }

  async sessionState(attempt: string): Promise<string | undefined> {
    const rows = await this.query<{ state: string }>('SELECT state FROM authorization_sessions WHERE id = $1', [
      attempt,
    ]);
    return rows[0]?.state;
  }

  async untilSession(attempt: string, state: string): Promise<void> {
    await until(`${attempt} is ${state}`, async () => (await this.sessionState(attempt)) === state);
  }

  /** Makes a session look as if nothing had moved it for a while, instead of waiting. */
  async ageSession(attempt: string, seconds: number): Promise<void> {
    await this.query(`UPDATE authorization_sessions SET updated_at = now() - make_interval(secs => $2) WHERE id = $1`, [
      attempt,
      seconds,
    ]);
  }

  private async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.url(), application_name: 'test' });
    await client.connect();
    return client;
  }
}
