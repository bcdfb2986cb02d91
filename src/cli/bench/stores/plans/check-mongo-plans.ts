import { type Collections, connectMongo, openCollections } from '../../../../store/mongo/connect.js';
import { openMongoStore } from '../../../../store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../../../store/mongo/migrate.js';
import { dropMongoDatabase } from '../drop-mongo-database.js';
import { deliveryCalls } from './delivery-calls.js';
import { collectCommands, countScans } from './find-scans.js';
import { integrationCalls } from './integration-calls.js';
import { measureFlatness } from './measure-flatness.js';
import type { PlanCall } from './plan-call.js';
import type { PlansChecked, PlanSizes } from './plan-sizes.js';
import { seedMongoBesides, seedMongoConsumers, seedMongoDeliveries, seedMongoIntegrations } from './seed-mongo.js';

/**
 * The same calls as in check-postgres-plans.ts, over databases of their own on a real MongoDB: each command that the store
 * sends is explained with the figures of its execution.
 */
export async function checkMongoPlans(
  databaseUrl: string,
  sizes: PlanSizes,
  say: (line: string) => void,
): Promise<PlansChecked> {
  const customers = await inDatabase(databaseUrl, 'customers', async (url, collections) => {
    const checked: PlansChecked[] = [];
    let there = 0;
    for (const many of sizes.flat) {
      await seedMongoIntegrations(collections, there + 1, many - 1);
      there = many - 1;
      if (many === sizes.integrations) {
        await seedMongoBesides(collections, many);
        checked.push(await checkCalls(url, integrationCalls(many), say));
      }
      say(`  findIntegrationsByEntityId at ${await measureFlatness(url, many)}`);
    }
    return checked;
  });
  const queues = await inDatabase(databaseUrl, 'queues', async (url, collections) => {
    await seedMongoDeliveries(collections, [0, 999], sizes.deliveriesEach, 0);
    await seedMongoDeliveries(collections, [7, 7], 20_000, 2_000_000);
    await seedMongoConsumers(collections);
    return [await checkCalls(url, deliveryCalls(sizes.deliveriesEach), say)];
  });
  const all = [...customers, ...queues];
  return {
    checked: all.reduce((sum, { checked }) => sum + checked, 0),
    scans: all.reduce((sum, { scans }) => sum + scans, 0),
  };
}

async function checkCalls(
  databaseUrl: string,
  calls: readonly PlanCall[],
  say: (line: string) => void,
): Promise<PlansChecked> {
  const connection = connectMongo({ databaseUrl, poolSize: 4, monitorCommands: true });
  const sent = collectCommands(connection.client);
  const store = openMongoStore(connection);
  const explaining = connectMongo({ databaseUrl, poolSize: 1 });
  let scans = 0;
  try {
    for (const { name, expected, call } of calls) {
      sent.length = 0;
      const found = (await call(store))?.length ?? -1;
      if (found !== expected) throw new Error(`${name}: ${found} documents instead of ${expected}`);
      for (const command of [...sent]) {
        const explanation = await explaining.db.command({ explain: command, verbosity: 'executionStats' });
        const own = countScans(explanation);
        scans += own;
        if (own > 0) say(`  ${name}: ${own} scans of a collection by ${Object.keys(command)[0]}`);
      }
    }
  } finally {
    await explaining.client.close();
    await store.close();
  }
  return { checked: calls.length, scans };
}

/** A migrated database of its own, removed afterwards. */
async function inDatabase<Result>(
  server: string,
  name: string,
  act: (url: string, collections: Collections) => Promise<Result>,
): Promise<Result> {
  const url = new URL(server);
  url.pathname += `_${name}`;
  await migrateMongo(url.href);
  const { client, db } = connectMongo({ databaseUrl: url.href, poolSize: 2 });
  try {
    return await act(url.href, openCollections(db));
  } finally {
    await client.close();
    await dropMongoDatabase(url.href);
  }
}
