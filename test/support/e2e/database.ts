import { MongoClient } from 'mongodb';
import { Client } from 'pg';
import { isId } from '../../../src/domain/ids.js';
import { openRecords, openStore, storeKindOf } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/port/store.js';
import type { RecordKind, TransferRecord } from '../../../src/store/transfer/records.js';
import { walkRecords } from '../../../src/store/transfer/walk-records.js';
import type { HeldLock, HeldTable, HeldWrites } from './held-writes.js';
import { until } from './until.js';

/** The stack's database as a test reaches into it, on every store; every look is a connection of its own, so it survives restarts. */
export class Database {
  constructor(
    private readonly url: () => string,
    private readonly writes: HeldWrites,
  ) {}

  /** From now on Relink's writes to this record wait, before anything of them is carried out. */
  async hold(table: HeldTable, id: string): Promise<HeldLock> {
    const found = await this.record(table, id);
    const { user_id: userId, external_id: externalId } = found;
    const account = typeof userId === 'string' && typeof externalId === 'string' ? { userId, externalId } : undefined;
    return this.writes.hold({ table, id, account });
  }

  /** Waits until a write to this table waits; one that sets a field that the pattern fits, if given. */
  async untilBlocked(table: HeldTable, field = /(?:)/): Promise<void> {
    await until(`a write to ${table} waits`, async () => {
      return (await this.blocked()).some(text => text.includes(`"${table}"`) && field.test(text));
    });
  }

  async untilBlockedCount(count: number): Promise<void> {
    await until(`${count} writes wait`, async () => (await this.blocked()).length === count);
  }

  blocked(): Promise<readonly string[]> {
    return this.writes.waiting();
  }

  /** A killed client's write goes on in the server once its turn comes; this takes it back. */
  endBlocked(): Promise<void> {
    return this.writes.takeBack();
  }

  /** As an export has it: a record's columns by their names in PostgreSQL. */
  async record(kind: RecordKind, id: string): Promise<TransferRecord> {
    const found = (await this.records(kind)).find(record => record['id'] === id);
    if (found === undefined) throw new Error(`no ${id} in ${kind}`);
    return found;
  }

  async records(kind: RecordKind): Promise<TransferRecord[]> {
    const records = await openRecords({ databaseUrl: this.url() });
    const found: TransferRecord[] = [];
    for await (const walked of walkRecords(records)) {
      if (walked.kind === kind) found.push(JSON.parse(walked.canonical) as TransferRecord);
    }
    await records.close();
    return found;
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

  /** Has the database complain of this text, as it does of a statement with a secret in it. */
  async provoke(text: string): Promise<void> {
    const complaint = storeKindOf(this.url()) === 'mongo' ? this.provokeMongo(text) : this.provokePostgres(text);
    const [{ status }] = await Promise.allSettled([complaint]);
    if (status !== 'rejected') throw new Error('it did not complain');
  }

  private async provokeMongo(text: string): Promise<void> {
    const client = new MongoClient(this.url());
    await client
      .db()
      .command({ [text]: 1 })
      .finally(() => client.close());
  }

  private async provokePostgres(text: string): Promise<void> {
    const client = new Client({ connectionString: this.url(), application_name: 'test' });
    await client.connect();
    await client.query(`SELECT '${text}'::integer`).finally(() => client.end());
  }

  private async within<Result>(act: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore({ databaseUrl: this.url(), poolSize: 1 });
    return act(store).finally(() => store.close());
  }
}
