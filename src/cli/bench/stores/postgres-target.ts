import { Client } from 'pg';
import { newId } from '../../../ids.js';
import { createClient } from '../../../store/postgres/create-client.js';
import { openPostgresStore } from '../../../store/postgres/create-postgres-store.js';
import { createPool, nameStatements } from '../../../store/postgres/create-pool.js';
import { openPostgresRecords } from '../../../store/postgres/transfer-records.js';
import { type BenchTarget, type Contender, poolSize } from './contender.js';
import type { Operation, PreparedCalls } from './operation.js';
import { seedBesides, seedDeliveries, seedIntegrations } from './plans/seed-postgres.js';
import { Recorder, replayByClient, replayByDriver, type Sent } from './replay.js';
import { Scene } from './scene.js';
import { createSealing, recordSealing } from './sealing.js';

const standing = 20_000;

interface Noted {
  readonly sent: Sent;
  /** The sealing that belongs to it. */
  readonly work: readonly (() => unknown)[];
}

/** PostgreSQL: the store, the generated client as it comes, and pg; a pool each, with the same settings. */
export async function openPostgresTarget(databaseUrl: string, people: number): Promise<BenchTarget> {
  const options = { databaseUrl, poolSize };
  const store = openPostgresStore(createPool(options), options);
  const [plainPool, driverPool, notedPool] = [createPool(options), createPool(options), createPool(options)];
  const client = createClient(plainPool, databaseUrl);
  const recorder = new Recorder(notedPool);
  const notedClient = createClient(recorder.pool, databaseUrl);
  const notedStore = openPostgresStore(recorder.pool, options);
  const records = openPostgresRecords({ databaseUrl, poolSize: 2 });
  const sealing = createSealing();
  const scene = new Scene(store, records, sealing, 20);
  const nameOf = nameStatements(databaseUrl);

  /** What each of the calls sends: those of the store itself where it is raw SQL, else the generated client's. */
  async function note(
    { raw, writes }: Operation,
    calls: PreparedCalls,
    first = raw?.all,
  ): Promise<(place: number) => Noted> {
    const noted: Noted[] = [];
    for (let place = 0; place < calls.count; place += 1) {
      const work: (() => unknown)[] = [];
      const own = recordSealing(sealing, work);
      const call = () =>
        raw === undefined ? calls.prisma(notedClient, place, own) : calls.port(notedStore, place, own);
      noted.push({ sent: await recorder.record(call, writes, first), work });
    }
    return place => {
      const found = noted[place % noted.length];
      if (found === undefined) throw new Error('Nothing was noted');
      for (const act of found.work) act();
      return found;
    };
  }

  const contenders: readonly Contender[] = [
    { name: 'port', ready: (_, calls) => place => calls.port(store, place, sealing) },
    {
      name: 'bare',
      ready: async (operation, calls) => {
        if (operation.raw === undefined) return place => calls.prisma(client, place, sealing);
        const noted = await note(operation, calls, operation.raw.first);
        return async place => calls.afterRaw(client, place, await replayByClient(client, noted(place).sent));
      },
    },
    {
      name: 'driver',
      ready: async (operation, calls) => {
        const noted = await note(operation, calls);
        return place => replayByDriver(driverPool, nameOf, noted(place).sent);
      },
    },
  ];

  await seedCustomers(databaseUrl);
  const begun = newId('session').slice('ses_'.length);
  await scene.addPeople(people);
  await driverPool.query('VACUUM ANALYZE');
  const last = scene.people.at(-1);
  return {
    scene,
    contenders,
    growsSlow: false,
    clear: async () => {
      const remove = (table: string, column: string, beyond: string | undefined) =>
        driverPool.query(`DELETE FROM ${table} WHERE ${column} > $1`, [beyond]);
      await remove('authorization_sessions', 'id', `ses_${begun}`);
      await remove('token_reads', 'id', `trd_${begun}`);
      // Those of people have no deliveries and no consumer.
      for (const table of ['deliveries', 'delivery_consumers']) await remove(table, 'integration_id', `int_${begun}`);
      const kept = last?.integrations.at(-1)?.id;
      await remove('subscriptions', 'integration_id', kept);
      await remove('integrations', 'id', kept);
      await remove('entities', 'id', last?.entities.at(-1)?.id);
      await remove('credentials', 'id', last?.credentials.at(-1)?.id);
      await driverPool.query('VACUUM');
    },
    close: async () => {
      await Promise.all([client.$disconnect(), notedClient.$disconnect(), store.close(), records.close()]);
      await Promise.all([plainPool.end(), driverPool.end(), notedPool.end()]);
    },
  };
}

/** Customers of long ago, so that PostgreSQL plans for tables as they are in use and not for empty ones. */
async function seedCustomers(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await seedIntegrations(client, 1, standing - 1);
    await seedBesides(client, standing);
    await seedDeliveries(client, [0, 999], 20, 0);
    await client.query(`INSERT INTO delivery_consumers SELECT id, 'run/0', now() FROM integrations`);
  } finally {
    await client.end();
  }
}
