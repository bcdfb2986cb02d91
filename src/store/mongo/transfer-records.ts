import { Long } from 'mongodb';
import { z } from 'zod';
import { mapErrors } from '../map-errors.js';
import {
  type Counters,
  importMark,
  keyColumns,
  type RecordKind,
  recordsAtOnce,
  type RecordStore,
} from '../transfer/records.js';
import { connectMongo, openCollections, type Documents, type MongoOptions } from './connect.js';
import { counterNames } from './draw-numbers.js';
import { readDuplicates, toMongoStoreError } from './map-mongo-error.js';
import { toDocument, toRecord } from './transfer-documents.js';

const counters = z.array(z.object({ _id: z.enum(counterNames), value: z.number() }));

/** Everything in a MongoDB, document by document, in the form of transfer-documents.ts. */
export function openMongoRecords(options: MongoOptions): RecordStore {
  const { client, db, profile } = connectMongo(options);
  const collections = openCollections(db);
  const of: Readonly<Record<RecordKind, Documents>> = {
    credentials: collections.credentials,
    entities: collections.entities,
    integrations: collections.integrations,
    authorization_sessions: collections.sessions,
    deliveries: collections.deliveries,
    subscriptions: collections.subscriptions,
    token_reads: collections.tokenReads,
  };
  async function readCounters(): Promise<Counters> {
    const found = counters.parse(await collections.counters.find({}).toArray());
    const valueOf = (name: string) => found.find(({ _id }) => _id === name)?.value ?? 0;
    return { grants: valueOf('grants'), deliveries: valueOf('deliveries') };
  }
  return mapErrors<RecordStore>(
    {
      async read(kind, after) {
        const [first, second] = after;
        const isPair = keyColumns[kind].length === 2;
        const alone = first === undefined ? {} : { _id: { $gt: first } };
        const pair =
          second === undefined
            ? {}
            : { $or: [{ integrationId: { $gt: first } }, { integrationId: first, _id: { $gt: second } }] };
        const found = await of[kind]
          .find(isPair ? pair : alone)
          .sort(isPair ? { integrationId: 1, _id: 1 } : { _id: 1 })
          .limit(recordsAtOnce)
          .toArray();
        return found.map(document => toRecord(kind, document));
      },

      async write(kind, records) {
        const documents = records.map(record => toDocument(kind, record));
        // Those that are there are left.
        await of[kind]
          .insertMany(documents, { ordered: false })
          .catch((error: unknown) => readDuplicates(error, documents.length));
      },

      readCounters,

      async raiseCounters(values) {
        for (const name of ['grants', 'deliveries'] as const) {
          const value = Long.fromNumber(values[name]);
          await collections.counters.updateOne({ _id: name }, { $max: { value } }, { upsert: true });
        }
      },

      async beginImport() {
        const _id = importMark;
        await collections.migrations.updateOne({ _id }, { $setOnInsert: { begunAt: new Date() } }, { upsert: true });
      },

      async endImport() {
        await collections.migrations.deleteOne({ _id: importMark });
      },

      close: () => client.close(),
    },
    error => toMongoStoreError(error, profile),
  );
}
