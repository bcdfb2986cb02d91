import { Client } from 'pg';
import type { CredentialId, EntityId, ExternalId, IntegrationId, ProviderId } from '../../src/domain/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { othersGone, readsOf } from './count-reads.js';

/**
 * The queries that grow with the number of customers, on 20,000 integrations and as many sessions. What counts is what
 * the server itself says it read for the statements that the store really sends.
 */
const many = 20_000;
const entityId = 'ent_00000000000000000000000000004242' as EntityId;
const credentialId = 'cred_00000000000000000000000000004242' as CredentialId;
const eighty = Array.from(
  { length: 80 },
  (_, index) => `int_${String(index * 200 + 1).padStart(32, '0')}` as IntegrationId,
);
const page = { limit: 100, after: null };

let database: TestDatabase;
let raw: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  raw = new Client({ connectionString: database.url });
  await raw.connect();
  const id = (prefix: string, value: string) => `'${prefix}_' || lpad((${value})::text, 32, '0')`;
  const loader = new Client({ connectionString: database.url });
  await loader.connect();
  await loader.query(`
    INSERT INTO credentials (id, user_id, provider, external_id, sealed_tokens, refreshable, auth_is_valid, generation,
                             epoch, grant_sequence, created_at, updated_at, refresh_due_at, grant_warn_at)
    SELECT ${id('cred', 'n')}, 'user-' || n % 500, 'attio', 'x' || n, 'sealed', true, true, 1, 1, n, now(), now(),
           now() + CASE WHEN n % 500 = 0 THEN -1 ELSE 1 END * n * interval '1 minute',
           CASE WHEN n % 100 = 0 THEN now() + CASE WHEN n % 500 = 0 THEN -1 ELSE 1 END * n * interval '1 minute' END
      FROM generate_series(1, ${many / 2}) n;
    INSERT INTO entities (id, user_id, provider, external_id, credential_id, grant_sequence, created_at, updated_at)
    SELECT ${id('ent', 'n')}, 'user-' || n % 500, 'attio', 'x' || n, ${id('cred', 'n')}, n, now(), now()
      FROM generate_series(1, ${many / 2}) n;
    INSERT INTO integrations (id, user_id, type, entity_key, config, lifecycle, intent, causes, epochs, status,
                              status_since, version, created_at, updated_at)
    SELECT ${id('int', 'n')}, 'user-' || n % 500, 'type' || n, ${id('ent', '1 + n / 2')}, '{}',
           CASE WHEN n % 1000 = 0 THEN 'creating' ELSE 'ready' END, 'on',
           CASE WHEN n % 20 = 5 THEN jsonb_build_array(jsonb_build_object('credentialId', ${id('cred', '1 + n / 2')},
             'epoch', 2, 'provider', 'attio', 'code', 'credential_refused', 'httpStatus', 401, 'text', '', 'since', ''))
           ELSE '[]' END, '{}',
           CASE WHEN n % 1000 = 0 THEN 'IN_CREATION' WHEN n % 20 = 5 THEN 'ERROR' ELSE 'ENABLED' END,
           now(), 1, now(), now() - n * interval '1 second'
      FROM generate_series(1, ${many - 2}) n;
    INSERT INTO integration_entities SELECT entity_key, id FROM integrations;
    INSERT INTO subscriptions (integration_id, version) SELECT id, 1 FROM integrations;
    INSERT INTO authorization_sessions (id, user_id, provider, state, state_hash, redirect_uri, own_redirect,
                                        sealed_request, error_code, created_at, expires_at, updated_at)
    SELECT ${id('ses', 'n')}, 'user-' || n % 500, 'attio', CASE WHEN n % 2000 = 0 THEN 'exchanging' ELSE 'failed' END,
           'hash' || n, 'https://example.com', false, 'sealed', CASE WHEN n % 2000 = 0 THEN NULL ELSE 'access_denied' END,
           now(), now(), now() - n * interval '1 second'
      FROM generate_series(1, ${many}) n;
    UPDATE credentials SET auth_is_valid = false, verdict_code = 'credential_deleted', verdict_since = now(),
           sealed_tokens = CASE WHEN grant_sequence % 2000 = 7 THEN sealed_tokens ELSE '' END
     WHERE grant_sequence % 100 = 7;
    INSERT INTO token_reads (id, credential_id, user_id, api_key, generation, request_id, read_at)
    SELECT ${id('trd', 'n')}, ${id('cred', `4242 + n % ${many / 10}`)}, 'user', 'key', 1, 'request', now()
      FROM generate_series(1, ${many}) n;
    ANALYZE;`);
  await loader.end();
  await othersGone(raw);
}, 120_000);

afterAll(async () => {
  await raw.end();
  await database.drop();
});

/** Of twenty accounts, two each. */
async function findOnAccounts(db: Store): Promise<readonly unknown[]> {
  const accounts = Array.from({ length: 20 }, (_, index) => ({
    provider: 'attio' as ProviderId,
    externalId: `x${4242 + index}` as ExternalId,
  }));
  const types = Array.from({ length: many }, (_, index) => `type${index}`);
  return (await db.findIntegrationsOnAccounts(accounts, types, 1_001)).flatMap(row => row.integrationIds);
}

it('counts what a sequential scan reads, so that the tests below can fail', async () => {
  const reads = await readsOf(raw, database.url, async () => {
    const other = new Client({ connectionString: database.url });
    await other.connect();
    await other.query(`SELECT count(*) FROM integrations WHERE config ->> 'x' = 'y'`);
    await other.end();
  });
  expect(reads.sequentialScans).toBe(1);
  expect(reads.rowsRead).toBeGreaterThanOrEqual(many - 2);
});

it.each<[string, number, (store: Store) => Promise<{ readonly rows: readonly unknown[] }>]>([
  ['findIntegrationsByEntityId', 2, db => db.findIntegrationsByEntityId(entityId, page)],
  ['findIntegrationsByCredentialId', 2, db => db.findIntegrationsByCredentialId(credentialId, page)],
  ['findIntegrationsOnAccounts', 40, async db => ({ rows: await findOnAccounts(db) })],
  [
    'findIntegrationsByCauseCredentialId',
    1,
    db => db.findIntegrationsByCauseCredentialId('cred_00000000000000000000000000009993' as CredentialId, page),
  ],
  [
    'findIntegrationsByCauseCredentialId with a limit of 1',
    1,
    db =>
      db.findIntegrationsByCauseCredentialId('cred_00000000000000000000000000009993' as CredentialId, {
        limit: 1,
        after: null,
      }),
  ],
  ['readIntakeTargets', 80, async db => ({ rows: await db.readIntakeTargets(eighty) })],
  ['listIntegrations', 40, db => db.listIntegrations('user-7' as never, {}, page)],
  ['listIntegrations of an entity', 1, db => db.listIntegrations('user-482' as never, { entityId }, page)],
  [
    'listStaleSessions',
    10,
    async db => ({ rows: await db.listStaleSessions(['exchanging', 'exchanged'], new Date(), 100) }),
  ],
  ['listAbandonedSessions', 10, async db => ({ rows: await db.listAbandonedSessions(60_000, 100) })],
  ['listDueRefreshes', 20, async db => ({ rows: await db.listDueRefreshes('attio' as ProviderId, new Date(), 100) })],
  ['listEndingGrants', 20, async db => ({ rows: await db.listEndingGrants(new Date(), 100) })],
  ['listUnfinishedDeletions', 5, async db => ({ rows: await db.listUnfinishedDeletions(new Date(), 100) })],
  ['listTokenReads', 10, db => db.listTokenReads(credentialId, page)],
  ['findAnyCredential', 1, async db => ({ rows: [await db.findAnyCredential()] })],
  ['listStaleIntegrations', 19, async db => ({ rows: await db.listStaleIntegrations('creating', new Date(), 100) })],
])('%s reads by index, and few rows', async (_name, expected, call) => {
  let found = 0;
  const reads = await readsOf(raw, database.url, async db => {
    found = (await call(db)).rows.length;
  });
  expect(found).toBe(expected);
  expect(reads.sequentialScans).toBe(0);
  expect(reads.rowsRead).toBeGreaterThan(0);
  expect(reads.rowsRead).toBeLessThan(400);
});
