import { Client } from 'pg';
import { startCuttableProxy } from '../cuttable-proxy.js';
import { type HeldLock, holdInPostgres, holdOnTheWire } from './held-writes.js';
import type { E2eStack, E2eStore } from './start-e2e-stack.js';
import { until } from './until.js';

/** One worker's own wire to the database, by which it falls behind the others. */
export interface SlowWire {
  /** `DATABASE_URL` of that worker. */
  readonly url: string;
  /** Begins a step and stops the worker between its listing of the integrations and the first write to one of them. */
  stopAfterListing<T>(begin: () => Promise<T>): Promise<T>;
  /** It goes on from there; what it was to write comes as late as that. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

export function startSlowWire(stack: E2eStack, store: E2eStore): Promise<SlowWire> {
  return store === 'postgres' ? slowOnPostgres(stack) : slowOnMongo(stack);
}

/** The listing waits for a lock, and its answer is kept back. */
async function slowOnPostgres({ databaseUrl }: E2eStack): Promise<SlowWire> {
  const proxy = await startCuttableProxy(databaseUrl);
  const writes = holdInPostgres(() => databaseUrl);
  return {
    url: proxy.url,
    stopAfterListing: async begin => {
      const client = new Client({ connectionString: databaseUrl, application_name: 'test' });
      await client.connect();
      await client.query('BEGIN');
      await client.query('LOCK TABLE integration_entities IN ACCESS EXCLUSIVE MODE');
      const begun = await begin();
      await until('the listing waits', async () => {
        return (await writes.waiting()).some(text => text.includes('"integration_entities"'));
      });
      proxy.silence();
      await client.end();
      await until('the listing is answered', async () => (await writes.waiting()).length === 0);
      return begun;
    },
    resume: () => Promise.resolve(proxy.resume()),
    close: () => proxy.close(),
  };
}

/** Its first write to an integration is kept on the wire. */
async function slowOnMongo({ databaseUrl }: E2eStack): Promise<SlowWire> {
  const url = new URL(databaseUrl);
  const writes = await holdOnTheWire({ port: Number(url.port) });
  url.port = String(writes.port);
  let lock: HeldLock | undefined;
  return {
    url: url.href,
    stopAfterListing: async begin => {
      lock = await writes.hold({ table: 'integrations', id: null });
      const begun = await begin();
      await until('the write waits', async () => (await writes.waiting()).length > 0);
      return begun;
    },
    resume: async () => lock?.release(),
    close: () => writes.close(),
  };
}
