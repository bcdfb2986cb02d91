import { z } from 'zod';
import { connectMongo, type MongoConnection, openCollections } from '../../../store/mongo/connect.js';
import { percentile } from '../statistics.js';
import type { BenchDatabase } from './bench-database.js';

const arrivalRows = z.array(z.object({ _id: z.string(), integrationId: z.string() }));
const timeRows = z.array(z.object({ receivedAt: z.date(), finishedAt: z.date() }));

/** The bare route's collection. */
export const bareCollection = 'bench_bare';

/** What is stored in MongoDB, or in what speaks its protocol. */
export class MongoBenchDatabase implements BenchDatabase {
  private readonly connection: MongoConnection;

  constructor(databaseUrl: string) {
    this.connection = connectMongo({ databaseUrl, poolSize: 2 });
  }

  private get deliveries() {
    return openCollections(this.connection.db).deliveries;
  }

  count(state: string): Promise<number> {
    return this.deliveries.countDocuments({ state });
  }

  countPending(): Promise<number> {
    return this.deliveries.countDocuments({ stage: 'pending' });
  }

  async latency(since: Date): Promise<{ readonly count: number; readonly p50: number; readonly p99: number }> {
    const times = await this.times({ receivedAt: { $gte: since }, state: 'succeeded' });
    const ms = times.map(({ receivedAt, finishedAt }) => finishedAt.getTime() - receivedAt.getTime());
    return { count: ms.length, p50: percentile(ms, 0.5), p99: percentile(ms, 0.99) };
  }

  async reset(): Promise<void> {
    await this.deliveries.deleteMany({});
    await this.connection.db.collection(bareCollection).deleteMany({});
  }

  async arrivals(): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.deliveries
      .find({}, { projection: { integrationId: 1 } })
      .sort({ sequence: 1 })
      .toArray();
    const arrived = new Map<string, string[]>();
    for (const { _id, integrationId } of arrivalRows.parse(rows)) {
      const ids = arrived.get(integrationId) ?? [];
      ids.push(_id);
      arrived.set(integrationId, ids);
    }
    return arrived;
  }

  async handledWithin(): Promise<number> {
    const ends = (await this.times({ state: 'succeeded' })).map(({ finishedAt }) => finishedAt.getTime()).sort();
    return ((ends.at(-1) ?? 0) - (ends[0] ?? 0)) / 1000;
  }

  vacuum(): Promise<void> {
    return Promise.resolve();
  }

  vacuumJobs(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.connection.client.close();
  }

  private async times(filter: object) {
    return timeRows.parse(
      await this.deliveries.find(filter, { projection: { receivedAt: 1, finishedAt: 1 } }).toArray(),
    );
  }
}
