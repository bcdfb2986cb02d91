import type { IntegrationId } from '../../../src/domain/ids.js';
import {
  claimLot,
  deliveryOf,
  endAll,
  failed,
  idsOf,
  insertSome,
  newIntegration,
  one,
  readDelivery,
  released,
  retry,
  succeeded,
} from '../delivery-fixtures.js';
import {
  attio,
  deadBecauseOf,
  insertEntity,
  insertIntegration,
  later,
  minute,
  newUser,
  noon,
  type StoreUnderTest,
} from '../fixtures.js';

const soon = later(one, minute);

export function describeDeliveryQueues(under: () => StoreUnderTest): void {
  describe('what is due', () => {
    it('is found for many integrations at once: only those that have something to do now', async () => {
      const { first, second } = under();
      const [fresh, waiting, done, empty, held] = Array.from({ length: 5 }, newIntegration) as [
        IntegrationId,
        IntegrationId,
        IntegrationId,
        IntegrationId,
        IntegrationId,
      ];
      for (const id of [fresh, waiting, done, held]) await insertSome(first, id, 1);
      await endAll(first, waiting, id => retry(id, soon));
      await endAll(first, done, succeeded);
      await first.becomeConsumer(held, 'run/1', one);
      await claimLot(first, held);
      const asked = [fresh, waiting, done, empty, held];
      expect(await second.findDueIntegrations(asked, one)).toEqual([fresh]);
      expect(new Set(await second.findDueIntegrations(asked, soon))).toEqual(new Set([fresh, waiting]));
      expect(await second.findDueIntegrations([], soon)).toEqual([]);
      for (const id of [waiting, held]) expect(await second.hasPendingDeliveries(id)).toBe(true);
      for (const id of [done, empty]) expect(await second.hasPendingDeliveries(id)).toBe(false);
    });

    it('by arrival is the first one alone', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const other = newIntegration();
      await insertSome(first, other, 1);
      const [head] = await insertSome(first, integrationId, 2);
      await first.becomeConsumer(integrationId, 'run/1', one);
      await claimLot(first, integrationId, { limit: 1 });
      const due = (byArrival: IntegrationId[]) => first.findDueIntegrations([integrationId], one, byArrival);
      expect([await due([]), await due([integrationId])]).toEqual([[integrationId], []]);
      await first.finishDeliveries(integrationId, 'run/1', [retry(head!, soon)], one);
      expect([await due([]), await due([integrationId])]).toEqual([[integrationId], []]);
      expect(await first.findDueIntegrations([integrationId, other], one, [integrationId, other])).toEqual([other]);
      expect(await first.findDueIntegrations([integrationId], soon, [integrationId])).toEqual([integrationId]);
    });

    it('comes at a time: by arrival the first one’s, otherwise the earliest', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      expect(await first.findNextDue(integrationId, 'arrival')).toBeNull();
      const [a, b, c] = (await insertSome(first, integrationId, 3)) as [never, never, never];
      expect(await first.findNextDue(integrationId, 'arrival')).toEqual({ at: null });
      await first.becomeConsumer(integrationId, 'run/1', one);
      await claimLot(first, integrationId, { order: 'none' });
      expect(await first.findNextDue(integrationId, 'none')).toBeNull();
      await first.finishDeliveries(integrationId, 'run/1', [retry(a, later(soon, 2)), retry(b, soon)], one);
      expect(await first.findNextDue(integrationId, 'arrival')).toEqual({ at: later(soon, 2) });
      expect(await first.findNextDue(integrationId, 'none')).toEqual({ at: soon });
      await first.finishDeliveries(integrationId, 'run/1', [released(c, true)], one);
      expect(await first.findNextDue(integrationId, 'none')).toEqual({ at: null });
      expect(await first.findNextDue(integrationId, 'arrival')).toEqual({ at: later(soon, 2) });
    });
  });

  describe('a queue', () => {
    it('counts what is queued or claimed, up to a limit, and names the oldest and the newest', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      expect(await first.readQueue(integrationId, 10)).toBeNull();
      await insertSome(first, integrationId, 5);
      await first.becomeConsumer(integrationId, 'run/1', one);
      const [head] = idsOf(await claimLot(first, integrationId, { limit: 2 }));
      const newestReceivedAt = later(noon, 4_000);
      const queue = { integrationId, newestReceivedAt };
      expect(await first.readQueue(integrationId, 10)).toEqual({ ...queue, pending: 5, oldestReceivedAt: noon });
      await first.finishDeliveries(integrationId, 'run/1', [succeeded(head!)], one);
      const oldestReceivedAt = later(noon, 1_000);
      expect(await first.readQueue(integrationId, 10)).toEqual({ ...queue, pending: 4, oldestReceivedAt });
      expect(await first.readQueue(integrationId, 3)).toEqual({ ...queue, pending: 3, oldestReceivedAt });
    });

    it('names the times of the first and the last in the order of arrival, whatever the clocks of intakes say', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const at = [5_000, 0, 9_000, 1_000].map(milliseconds => later(noon, milliseconds));
      await first.insertDeliveries(at.map(receivedAt => deliveryOf(integrationId, { receivedAt })));
      const queue = { integrationId, pending: 4, oldestReceivedAt: at[0], newestReceivedAt: at[3] };
      expect(await first.readQueue(integrationId, 10)).toEqual(queue);
      const { rows } = await first.listQueues({ limit: 1_000, after: null }, 10);
      expect(rows.filter(row => row.integrationId === integrationId)).toEqual([queue]);
    });

    it('of every integration is listed once, page by page, while others come', async () => {
      const { first, second } = under();
      const waiting: IntegrationId[] = [];
      for (let made = 0; made < 7; made += 1) {
        const integrationId = newIntegration();
        await insertSome(first, integrationId, 1 + made);
        waiting.push(integrationId);
      }
      const done = newIntegration();
      await insertSome(first, done, 1);
      await endAll(first, done, succeeded);
      for (const limit of [1, 2, 3, 7, 100]) {
        const seen = new Map<IntegrationId, number>();
        let walked = 0;
        for (let after: string | null = null; ; walked += 1) {
          const { rows, next } = await first.listQueues({ limit, after }, 4);
          expect(rows.length).toBeLessThanOrEqual(limit);
          for (const row of rows) {
            expect(seen.has(row.integrationId)).toBe(false);
            seen.set(row.integrationId, row.pending);
          }
          expect(await first.readQueue(rows[0]!.integrationId, 4)).toEqual(rows[0]);
          if (walked < 3) await insertSome(second, newIntegration(), 1);
          if (next === null) break;
          expect(next).toBe(rows.at(-1)?.integrationId);
          after = next;
        }
        expect(waiting.map(id => seen.get(id))).toEqual([1, 2, 3, 4, 4, 4, 4]);
        expect(seen.has(done)).toBe(false);
        expect([...seen.keys()]).toEqual([...seen.keys()].sort());
      }
    });
  });

  describe('listDeliveries', () => {
    it('shows each row once, by state too, while others are added and removed', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 20);
      await endAll(first, integrationId, succeeded);
      await insertSome(first, integrationId, 10);
      await endAll(first, integrationId, id => failed(id));
      await insertSome(first, integrationId, 10);
      for (const [state, count] of [
        ['succeeded', 20],
        ['failed', 10],
        ['discarded', 0],
      ] as const) {
        const seen: string[] = [];
        for (let after: string | null = null; ; ) {
          const { rows, next } = await second.listDeliveries(integrationId, { state }, { limit: 4, after });
          expect(rows.every(row => row.state === state)).toBe(true);
          seen.push(...idsOf(rows));
          await insertSome(first, integrationId, 1);
          if (next === null) break;
          after = next;
        }
        expect(seen).toHaveLength(count);
        expect(seen).toEqual([...new Set(seen)].sort());
      }
      const every = await first.listDeliveries(integrationId, {}, { limit: 100, after: null });
      expect(every.rows.length).toBeGreaterThan(40);
      expect(idsOf(every.rows)).toEqual(idsOf(every.rows).sort());
      expect((await first.listDeliveries(newIntegration(), {}, { limit: 100, after: null })).rows).toEqual([]);
    });

    it('knows a delivery by its own integration only', async () => {
      const { first } = under();
      const row = deliveryOf(newIntegration());
      await first.insertDeliveries([row]);
      expect((await readDelivery(first, row.integrationId, row.id)).id).toBe(row.id);
      expect(await first.getDelivery(newIntegration(), row.id)).toBeNull();
    });
  });

  describe('readIntegrationGates', () => {
    it('reads what gates are decided from, of those that are there', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const alive = await insertIntegration(first, userId, [entity.id]);
      const dead = await insertIntegration(first, userId, [entity.id], { state: deadBecauseOf(entity.credentialId) });
      const rows = await first.readIntegrationGates([dead.id, newIntegration(), alive.id]);
      expect([...rows].sort((left, right) => (left.id < right.id ? -1 : 1))).toEqual([
        { id: alive.id, type: alive.type, status: 'ENABLED', statusSince: noon, openCauses: 0, version: 1 },
        { id: dead.id, type: dead.type, status: 'ERROR', statusSince: noon, openCauses: 1, version: 1 },
      ]);
      expect(await first.readIntegrationGates([])).toEqual([]);
    });
  });

  describe('readConsumerGate', () => {
    it('reads what the gate is decided from, and whether the claim is still the consumer', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const dead = await insertIntegration(first, userId, [entity.id], { state: deadBecauseOf(entity.credentialId) });
      const row = { id: dead.id, type: dead.type, status: 'ERROR', statusSince: noon, openCauses: 1, version: 1 };
      const read = (claim: string) => second.readConsumerGate(dead.id, claim);
      expect(await read('run/1')).toEqual({ row, isConsumer: false });
      await first.becomeConsumer(dead.id, 'run/1', noon);
      expect(await read('run/1')).toEqual({ row, isConsumer: true });
      await first.becomeConsumer(dead.id, 'run/2', noon);
      expect(await read('run/1')).toEqual({ row, isConsumer: false });
      expect(await read('run/2')).toEqual({ row, isConsumer: true });
    });

    it('tells the consumer also of an integration that is gone', async () => {
      const { first, second } = under();
      const gone = newIntegration();
      await first.becomeConsumer(gone, 'run/1', noon);
      expect(await second.readConsumerGate(gone, 'run/1')).toEqual({ row: null, isConsumer: true });
      expect(await second.readConsumerGate(gone, 'run/2')).toEqual({ row: null, isConsumer: false });
    });
  });

  describe('readIntakeTargets', () => {
    it('reads what the intake needs, of those that are there', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const another = await insertEntity(first, userId, entity.credentialId);
      const alive = await insertIntegration(first, userId, [entity.id, another.id]);
      const dead = await insertIntegration(first, userId, [entity.id], { state: deadBecauseOf(entity.credentialId) });
      const write = { sealedSecrets: 'sealed', expiresAt: null, dueAt: null, failure: null };
      await second.compareAndSetSubscription(dead.id, 0, write);
      const rows = await second.readIntakeTargets([dead.id, newIntegration(), alive.id]);
      expect([...rows].sort((left, right) => (left.id < right.id ? -1 : 1))).toEqual([
        {
          id: alive.id,
          type: alive.type,
          status: 'ENABLED',
          openCauses: 0,
          providers: [attio, attio],
          sealedSecrets: null,
        },
        { id: dead.id, type: dead.type, status: 'ERROR', openCauses: 1, providers: [attio], sealedSecrets: 'sealed' },
      ]);
      expect(await first.readIntakeTargets([])).toEqual([]);
    });
  });
}
