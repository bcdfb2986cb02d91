import type { CredentialId, EntityId, ExternalId, IntegrationId, ProviderId, UserId } from '../../../../domain/ids.js';
import type { Store } from '../../../../store/port/store.js';
import type { PlanCall } from './plan-call.js';

const entityId = 'ent_00000000000000000000000000004242' as EntityId;
const credentialId = 'cred_00000000000000000000000000004242' as CredentialId;
const held = 'cred_00000000000000000000000000009993' as CredentialId;
const provider = 'attio' as ProviderId;
const eighty = Array.from(
  { length: 80 },
  (_, index) => `int_${String(index * 200 + 1).padStart(32, '0')}` as IntegrationId,
);
const page = { limit: 100, after: null };

/** Of twenty accounts, two each. */
async function findOnAccounts(store: Store): Promise<readonly unknown[]> {
  const accounts = Array.from({ length: 20 }, (_, index) => ({
    provider,
    externalId: `x${4242 + index}` as ExternalId,
  }));
  const exceptTypes = Array.from({ length: 1_000 }, (_, index) => `deaf${index}`);
  return (await store.findIntegrationsOnAccounts(accounts, exceptTypes, 1_001)).flatMap(row => row.integrationIds);
}

/** The calls whose cost could grow with the number of customers, over `many` (20,000 or more) of seedIntegrations. */
export function integrationCalls(many: number): readonly PlanCall[] {
  const shown = (count: number) => Math.min(count, page.limit);
  const call = (name: string, expected: number, find: (store: Store) => Promise<readonly unknown[]>): PlanCall => ({
    name,
    expected,
    atMost: 400,
    call: find,
  });
  // Of the call, which comes after the rows were made.
  const now = () => new Date();
  return [
    call('findIntegrationsByEntityId', 2, async db => (await db.findIntegrationsByEntityId(entityId, page)).rows),
    call(
      'findIntegrationsByCredentialId',
      2,
      async db => (await db.findIntegrationsByCredentialId(credentialId, page)).rows,
    ),
    call('findIntegrationsOnAccounts', 40, findOnAccounts),
    call(
      'findIntegrationsByCauseCredentialId',
      1,
      async db => (await db.findIntegrationsByCauseCredentialId(held, page)).rows,
    ),
    call(
      'findIntegrationsByCauseCredentialId with a limit of 1',
      1,
      async db => (await db.findIntegrationsByCauseCredentialId(held, { limit: 1, after: null })).rows,
    ),
    call('readIntakeTargets', 80, db => db.readIntakeTargets(eighty)),
    call(
      'listIntegrations',
      shown(many / 500),
      async db => (await db.listIntegrations('user-7' as UserId, {}, page)).rows,
    ),
    call(
      'listIntegrations of an entity',
      1,
      async db => (await db.listIntegrations('user-482' as UserId, { entityId }, page)).rows,
    ),
    call('listStaleSessions', shown(many / 2_000), db => db.listStaleSessions(['exchanging', 'exchanged'], now(), 100)),
    call('listAbandonedSessions', shown(many / 2_000), db => db.listAbandonedSessions(60_000, 100)),
    call('listDueRefreshes', shown(many / 1_000), db => db.listDueRefreshes(provider, now(), 100)),
    call('listEndingGrants', shown(many / 1_000), db => db.listEndingGrants(now(), 100)),
    call('listUnfinishedDeletions', shown(many / 4_000), db => db.listUnfinishedDeletions(now(), 100)),
    call('listTokenReads', 10, async db => (await db.listTokenReads(credentialId, page)).rows),
    call('findAnyCredential', 1, async db => [await db.findAnyCredential()]),
    call('listStaleIntegrations', shown(many / 1_000 - 1), db => db.listStaleIntegrations('creating', now(), 100)),
  ];
}
