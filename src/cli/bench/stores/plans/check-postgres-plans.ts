import { Client } from 'pg';
import { ensureDatabase } from '../../../../embedded/postgres/ensure-database.js';
import { migrate } from '../../../../store/postgres/migrate.js';
import { othersGone, readsOf } from './count-reads.js';
import { deliveryCalls } from './delivery-calls.js';
import { integrationCalls } from './integration-calls.js';
import { measureFlatness } from './measure-flatness.js';
import type { PlanCall } from './plan-call.js';
import type { PlansChecked, PlanSizes } from './plan-sizes.js';
import { seedBesides, seedConsumers, seedDeliveries, seedIntegrations } from './seed-postgres.js';

/**
 * The calls over databases of their own on the server of `databaseUrl`: what the server itself says it read for the
 * statements that the store really sends. On the way, the time of findIntegrationsByEntityId at each of the sizes.
 */
export async function checkPostgresPlans(
  databaseUrl: string,
  sizes: PlanSizes,
  say: (line: string) => void,
): Promise<PlansChecked> {
  const customers = await inDatabase(databaseUrl, 'relink_customers', async url => {
    const checked: PlansChecked[] = [];
    let there = 0;
    for (const many of sizes.flat) {
      const isLookedAt = many === sizes.integrations;
      await withClient(url, async client => {
        await seedIntegrations(client, there + 1, many - 1);
        if (isLookedAt) await seedBesides(client, many);
        await client.query('VACUUM ANALYZE');
      });
      there = many - 1;
      if (isLookedAt) checked.push(await checkCalls(url, integrationCalls(many), say));
      say(`  findIntegrationsByEntityId at ${await measureFlatness(url, many)}`);
    }
    return checked;
  });
  const queues = await inDatabase(databaseUrl, 'relink_queues', async url => {
    await withClient(url, async client => {
      await seedDeliveries(client, [0, 999], sizes.deliveriesEach, 0);
      await seedDeliveries(client, [7, 7], 20_000, 2_000_000);
      await seedConsumers(client);
      await client.query('VACUUM ANALYZE');
    });
    return [await checkCalls(url, deliveryCalls(sizes.deliveriesEach), say)];
  });
  const all = [...customers, ...queues];
  return {
    checked: all.reduce((sum, { checked }) => sum + checked, 0),
    scans: all.reduce((sum, { scans }) => sum + scans, 0),
  };
}

function checkCalls(
  databaseUrl: string,
  calls: readonly PlanCall[],
  say: (line: string) => void,
): Promise<PlansChecked> {
  return withClient(databaseUrl, async raw => {
    await othersGone(raw);
    let scans = 0;
    for (const { name, expected, atMost, call } of calls) {
      let found = -1;
      const reads = await readsOf(raw, databaseUrl, async store => {
        found = (await call(store))?.length ?? -1;
      });
      scans += reads.sequentialScans;
      if (found !== expected) throw new Error(`${name}: ${found} rows instead of ${expected}`);
      if (reads.sequentialScans > 0) say(`  ${name}: ${reads.sequentialScans} sequential scans`);
      else if (reads.rowsRead >= atMost) say(`  ${name}: read ${reads.rowsRead} rows, more than ${atMost}`);
    }
    return { checked: calls.length, scans };
  });
}

/** A migrated database of its own, removed afterwards. */
async function inDatabase<Result>(
  server: string,
  name: string,
  act: (url: string) => Promise<Result>,
): Promise<Result> {
  await ensureDatabase(server, name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  try {
    await migrate(url.href);
    return await act(url.href);
  } finally {
    await withClient(server, client => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
  }
}

async function withClient<Result>(url: string, act: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}
