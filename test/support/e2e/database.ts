import { Client, type QueryResultRow } from 'pg';
import { isId } from '../../../src/domain/ids.js';
import { openRecords, openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/port/store.js';
import { walkRecords } from '../../../src/store/transfer/walk-records.js';
import { until } from './until.js';

/** A lock held by the test: what needs the locked rows waits. */
export interface HeldLock {
  release(): Promise<void>;
}

/**
 * The stack's database as a test reaches into it; every call is a connection of its own, so it survives restarts. Statements
 * and locks are PostgreSQL's, the rest is for every store.
 */
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

  /** Every byte of a user's credentials, entities and integrations; on every store. */
  async snapshot(userId: string): Promise<string> {
    const records = await openRecords({ databaseUrl: this.url() });
    const lines: string[] = [];
    for await (const { kind, canonical } of walkRecords(records)) {
      const isAsked = ['credentials', 'entities', 'integrations'].includes(kind);
      if (isAsked && canonical.includes(`"user_id":${JSON.stringify(userId)}`)) lines.push(`${kind} ${canonical}`);
    }
    await records.close();
    return lines.join('\n');
  }

  async sessionState(attempt: string): Promise<string | undefined> {
    return this.within(async store => {
      return isId('session', attempt) ? (await store.getSession(attempt))?.state : undefined;
    });
  }

  async untilSession(attempt: string, state: string): Promise<void> {
    await until(`${attempt} is ${state}`, async () => (await this.sessionState(attempt)) === state);
  }

  /** Makes a session look as if nothing had moved it for a while, instead of waiting. */
  async ageSession(attempt: string, seconds: number): Promise<void> {
    await this.within(async store => {
      const session = isId('session', attempt) ? await store.getSession(attempt) : null;
      if (session === null) throw new Error(`no session ${attempt}`);
      await store.touchSession(session.id, session.state, new Date(Date.now() - seconds * 1_000));
    });
  }

  private async within<Result>(act: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore({ databaseUrl: this.url(), poolSize: 1 });
    return act(store).finally(() => store.close());
  }

  private async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.url(), application_name: 'test' });
    await client.connect();
    return client;
  }
}
