import { Client } from 'pg';
import type { Cause } from '../../src/domain/cause.js';
import { computeStatus, integrationStatuses, type Intent, type Lifecycle } from '../../src/domain/status.js';
import { newId } from '../../src/ids.js';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import type { Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { claimLot, failed, insertSome, newIntegration, one, readDelivery, succeeded } from './delivery-fixtures.js';
import {
  causeOf,
  deadBecauseOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  newUser,
  noon,
  sessionIn,
  sessionOf,
} from './fixtures.js';

let database: TestDatabase;
let store: Store;
let raw: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresStore({ databaseUrl: database.url });
  raw = new Client({ connectionString: database.url });
  await raw.connect();
});

afterAll(async () => {
  await store.close();
  await raw.end();
  await database.drop();
});

/** The name of the constraint that refused the statement; null when it was accepted. */
async function refusedBy(sql: string, values: unknown[]): Promise<string | null> {
  try {
    await raw.query(sql, values);
    return null;
  } catch (error) {
    if (error instanceof Error && 'constraint' in error && typeof error.constraint === 'string')
      return error.constraint;
    throw error;
  }
}

describe('the status of an integration', () => {
  const lifecycles: readonly Lifecycle[] = ['creating', 'needs_config', 'processing', 'ready', 'deleting'];
  const intents: readonly Intent[] = ['on', 'paused'];
  const combinations = lifecycles.flatMap(lifecycle =>
    intents.flatMap(intent => [0, 1, 2].map(causes => [lifecycle, intent, causes] as const)),
  );

  it.each(combinations)(
    'with lifecycle %s, intent %s and %i causes can only be the computed one',
    async (lifecycle, intent, count) => {
      const { id } = await integration();
      const causes: Cause[] = Array.from({ length: count }, () => causeOf(newId('credential')));
      const computed = computeStatus(lifecycle, intent, causes);
      for (const status of integrationStatuses) {
        const refused = await refusedBy(
          'UPDATE integrations SET lifecycle = $2, intent = $3, causes = $4, status = $5 WHERE id = $1',
          [id, lifecycle, intent, JSON.stringify(causes), status],
        );
        expect([status, refused]).toEqual([status, status === computed ? null : 'integrations_status_check']);
      }
    },
  );

  it('cannot be ERROR once the last cause is taken', async () => {
    const { id } = await integration(true);
    expect(await refusedBy(`UPDATE integrations SET causes = '[]' WHERE id = $1`, [id])).toBe(
      'integrations_status_check',
    );
    expect((await store.getIntegration(id))?.status).toBe('ERROR');
  });

  it.each([
    [`status = 'BROKEN'`, 'integrations_status_check'],
    [`lifecycle = 'ended'`, 'integrations_lifecycle_check'],
    [`intent = 'maybe'`, 'integrations_intent_check'],
    [`epochs = '[]'`, 'integrations_json_check'],
    [`config = '1'`, 'integrations_json_check'],
  ])('row refuses %s', async (assignment, constraint) => {
    const { id } = await integration();
    expect(await refusedBy(`UPDATE integrations SET ${assignment} WHERE id = $1`, [id])).toBe(constraint);
  });

  async function integration(dead = false) {
    const userId = newUser();
    const entity = await insertEntity(store, userId);
    return insertIntegration(store, userId, [entity.id], dead ? { state: deadBecauseOf(entity.credentialId) } : {});
  }
});

describe('a credential', () => {
  it.each([
    `auth_is_valid = false`,
    `verdict_code = 'credential_refused', verdict_since = now()`,
    `auth_is_valid = false, verdict_code = 'credential_refused'`,
    `verdict_since = now()`,
  ])('refuses a verdict that contradicts its validity: %s', async assignment => {
    const { id } = await insertCredential(store, newUser());
    const refused = await refusedBy(`UPDATE credentials SET ${assignment} WHERE id = $1`, [id]);
    expect(refused).toBe('credentials_verdict_check');
  });

  it('cannot be deleted while an entity points to it', async () => {
    const entity = await insertEntity(store, newUser());
    const refused = await refusedBy('DELETE FROM credentials WHERE id = $1', [entity.credentialId]);
    expect(refused).toBe('entities_credential_id_fkey');
  });
});

describe('a session', () => {
  it.each([
    ['pending', `state = 'waiting'`, 'authorization_sessions_state_check'],
    ['pending', `sealed_grant = 'x'`, 'authorization_sessions_sealed_grant_check'],
    ['exchanged', `sealed_grant = NULL`, 'authorization_sessions_sealed_grant_check'],
    ['exchanged', `grant_sequence = NULL`, 'authorization_sessions_grant_sequence_check'],
    ['exchanged', `state = 'connected', sealed_grant = NULL`, 'authorization_sessions_result_check'],
    ['pending', `state = 'failed'`, 'authorization_sessions_error_code_check'],
    ['restored', `error_code = 'internal'`, 'authorization_sessions_error_code_check'],
  ] as const)('that is %s refuses %s', async (state, assignment, constraint) => {
    const { id } = await sessionIn(store, state);
    expect(await refusedBy(`UPDATE authorization_sessions SET ${assignment} WHERE id = $1`, [id])).toBe(constraint);
  });
});

describe('a delivery', () => {
  it.each([
    ['queued', `state = 'held', reason = 'handler_failed', finished_at = now()`, 'deliveries_state_check'],
    ['queued', `state = 'claimed'`, 'deliveries_claim_check'],
    ['queued', `claim = 'run/1'`, 'deliveries_claim_check'],
    ['queued', `finished_at = now()`, 'deliveries_finished_check'],
    ['queued', `state = 'succeeded'`, 'deliveries_finished_check'],
    ['queued', `state = 'discarded', finished_at = now()`, 'deliveries_reason_check'],
    ['claimed', `claim = NULL`, 'deliveries_claim_check'],
    ['claimed', `state = 'queued'`, 'deliveries_claim_check'],
    ['claimed', `state = 'failed', claim = NULL, finished_at = now()`, 'deliveries_reason_check'],
    ['failed', `reason = NULL`, 'deliveries_reason_check'],
    ['failed', `finished_at = NULL`, 'deliveries_finished_check'],
    ['failed', `state = 'queued'`, 'deliveries_finished_check'],
    ['succeeded', `reason = 'handler_failed'`, 'deliveries_reason_check'],
  ] as const)('that is %s refuses %s', async (state, assignment, constraint) => {
    const integrationId = newIntegration();
    const [id] = await insertSome(store, integrationId, 1);
    await store.becomeConsumer(integrationId, 'run/1', one);
    const lot = state === 'queued' ? [] : await claimLot(store, integrationId);
    if (state === 'failed' || state === 'succeeded') {
      await store.finishDeliveries(
        integrationId,
        'run/1',
        lot.map(delivery => (state === 'failed' ? failed(delivery.id) : succeeded(delivery.id))),
        one,
      );
    }
    expect((await readDelivery(store, integrationId, id!)).state).toBe(state);
    expect(await refusedBy(`UPDATE deliveries SET ${assignment} WHERE id = $1`, [id])).toBe(constraint);
  });
});

describe('times', () => {
  it('are stored as the instants they are, whatever time zone the database prefers', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await raw.query(`ALTER DATABASE ${raw.escapeIdentifier(name)} SET timezone TO 'America/New_York'`);
    const zoned = createPostgresStore({ databaseUrl: database.url });
    try {
      const expiresAt = new Date('2026-03-08T02:30:00.123Z');
      const session = await zoned.insertSession(sessionOf({ expiresAt }));
      const { rows } = await raw.query<{ ms: string }>(
        'SELECT extract(epoch FROM expires_at) * 1000 AS ms FROM authorization_sessions WHERE id = $1',
        [session.id],
      );
      expect(Number(rows[0]?.ms)).toBe(expiresAt.getTime());
      await zoned.claimSession(session.id, noon);
      expect((await zoned.claimSession(session.id, new Date(0)))?.expiresAt).toEqual(expiresAt);
      const sealed = await zoned.sealGrant(session.id, 'grant', noon);
      expect([sealed?.updatedAt, sealed?.expiresAt]).toEqual([noon, expiresAt]);
    } finally {
      await zoned.close();
      await raw.query(`ALTER DATABASE ${raw.escapeIdentifier(name)} RESET timezone`);
    }
  });
});
