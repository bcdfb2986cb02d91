import { Client } from 'pg';
import { startWireProxy, type Verdict } from '../../../src/embedded/mongo/start-wire-proxy.js';

/** Where the same on every store has the same name. */
export type HeldTable = 'authorization_sessions' | 'credentials' | 'entities' | 'integrations';

/** A record as the test names it; some writes find it by its user and its account instead of its id. */
export interface HeldRecord {
  readonly table: HeldTable;
  /** null: every one. */
  readonly id: string | null;
  readonly account?: undefined | { readonly userId: string; readonly externalId: string };
}

/** Held by the test: Relink's writes to the record wait until it is released, and are carried out then. */
export interface HeldLock {
  release(): Promise<void>;
}

/** Keeps Relink's writes from being carried out, as each database can. */
export interface HeldWrites {
  hold(record: HeldRecord): Promise<HeldLock>;
  /** What waits, as it was sent: names of tables and of fields stand in it. */
  waiting(): Promise<readonly string[]>;
  /** A killed process's write goes on in the database once its turn comes; this takes back all that wait. */
  takeBack(): Promise<void>;
  close(): Promise<void>;
}

/** By a transaction of the test's that holds the row. */
export function holdInPostgres(url: () => string): HeldWrites {
  const connect = async () => {
    const client = new Client({ connectionString: url(), application_name: 'test' });
    // The test may kill the server under it.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const query = async (sql: string) => {
    const client = await connect();
    return client.query<{ query: string }>(sql).finally(() => client.end());
  };
  const blocked = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'relink'`;
  return {
    hold: async ({ table, id }) => {
      const client = await connect();
      await client.query('BEGIN');
      const { rowCount } = await client.query(`SELECT id FROM ${table} WHERE id = $1 FOR UPDATE`, [id]);
      if (rowCount === 0) throw new Error(`nothing to hold: ${id}`);
      return { release: () => client.end().catch(() => undefined) };
    },
    waiting: async () => (await query(`SELECT query ${blocked}`)).rows.map(row => row.query),
    takeBack: async () => void (await query(`SELECT pg_terminate_backend(pid, 5000) ${blocked}`)),
    close: () => Promise.resolve(),
  };
}

interface WaitingWrite {
  readonly text: string;
  readonly by: HeldRecord;
  decide(verdict: Verdict): void;
}

const writeCommands = new Set(['findAndModify', 'update', 'delete']);

/** On the wire to a server that locks nothing: a command that would change the record is passed on later. */
export async function holdOnTheWire(target: {
  readonly port: number;
}): Promise<HeldWrites & { readonly port: number }> {
  const held = new Set<HeldRecord>();
  const waiting = new Set<WaitingWrite>();
  const decide = (verdict: Verdict, isMeant: (write: WaitingWrite) => boolean) => {
    for (const write of waiting) {
      if (!isMeant(write)) continue;
      waiting.delete(write);
      write.decide(verdict);
    }
  };
  const proxy = await startWireProxy(target, command => {
    const [name = ''] = Object.keys(command);
    if (!writeCommands.has(name)) return 'pass';
    const text = JSON.stringify(command);
    const by = [...held].find(record => command[name] === record.table && names(text, record));
    if (by === undefined) return 'pass';
    return new Promise(resolve => waiting.add({ text, by, decide: resolve }));
  });
  return {
    port: proxy.port,
    hold: record => {
      held.add(record);
      return Promise.resolve({
        release: async () => {
          held.delete(record);
          decide('pass', ({ by }) => by === record);
          await Promise.resolve();
        },
      });
    },
    waiting: () => Promise.resolve([...waiting].map(({ text }) => text)),
    takeBack: () => Promise.resolve(decide('cut', () => true)),
    close: () => proxy.close(),
  };
}

const names = (text: string, { id, account }: HeldRecord) =>
  id === null ||
  text.includes(id) ||
  (account !== undefined && text.includes(account.userId) && text.includes(JSON.stringify(account.externalId)));
