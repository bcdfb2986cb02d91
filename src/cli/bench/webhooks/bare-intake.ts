import { createHmac, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import { Pool } from 'pg';
import { connectMongo } from '../../../store/mongo/connect.js';
import { storeKindOf } from '../../../store/open-store.js';
import { bareCollection } from './mongo-database.js';

/** What the intake is measured against: a Fastify route, an HMAC over the raw body, one INSERT, no more. */
const [, , databaseUrl = '', secret = '', port = '0'] = process.argv;

interface BareTable {
  insert(integrationId: string, externalId: string, body: Buffer): Promise<unknown>;
  close(): Promise<void>;
}

async function openTable(): Promise<BareTable> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(
    'CREATE TABLE IF NOT EXISTS bench_bare (integration_id text, external_id text, body bytea, received_at timestamptz DEFAULT now(), PRIMARY KEY (integration_id, external_id))',
  );
  return {
    insert: (integrationId, externalId, body) =>
      pool.query({
        name: 'insert',
        text: 'INSERT INTO bench_bare (integration_id, external_id, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        values: [integrationId, externalId, body],
      }),
    close: () => pool.end(),
  };
}

async function openCollection(): Promise<BareTable> {
  const { client, db } = connectMongo({ databaseUrl, poolSize: 10 });
  const bare = db.collection<{ _id: string; body: Buffer; receivedAt: Date }>(bareCollection);
  await client.connect();
  return {
    insert: (integrationId, externalId, body) =>
      bare.insertOne({ _id: `${integrationId} ${externalId}`, body, receivedAt: new Date() }),
    close: () => client.close(),
  };
}

async function main(): Promise<void> {
  const table = storeKindOf(databaseUrl) === 'postgres' ? await openTable() : await openCollection();
  const app = Fastify({ logger: false });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post<{ Params: { id: string }; Body: Buffer }>('/webhooks/:id', async (request, reply) => {
    const given = Buffer.from(String(request.headers['x-sandbox-signature'] ?? '').slice('sha256='.length), 'hex');
    const expected = createHmac('sha256', secret).update(request.body).digest();
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send();
    await table.insert(request.params.id, String(request.headers['x-sandbox-delivery']), request.body);
    return { accepted: 1 };
  });
  await app.listen({ host: '127.0.0.1', port: Number(port) });
  process.once('SIGTERM', () => void app.close().then(() => table.close()));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
