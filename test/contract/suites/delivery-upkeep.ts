import type { DeliveryId, IntegrationId } from '../../../src/domain/ids.js';
import type { Store } from '../../../src/store/port/store.js';
import {
  claimLot,
  claimOf,
  endAll,
  failed,
  idsOf,
  insertSome,
  newIntegration,
  one,
  readDelivery,
  retry,
  succeeded,
} from '../delivery-fixtures.js';
import { later, noon, type StoreUnderTest, race } from '../fixtures.js';

const all = { limit: 100, after: null };

export function describeDeliveryUpkeep(under: () => StoreUnderTest): void {
  const statesOf = async (store: Store, integrationId: IntegrationId) =>
    (await store.listDeliveries(integrationId, {}, all)).rows.map(({ state }) => state);

  describe('discardDeliveries', () => {
    it('discards the named ones that are queued, with the reason', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      const ids = await insertSome(first, integrationId, 4);
      await first.becomeConsumer(integrationId, 'run/1', one);
      await claimLot(first, integrationId, { limit: 1 });
      const named = { ids: [ids[0]!, ids[1]!, ids[2]!] };
      expect(await second.discardDeliveries(newIntegration(), named, 'integration_deleted', one)).toBe(0);
      expect(await second.discardDeliveries(integrationId, named, 'integration_disabled', one)).toBe(2);
      expect(await second.discardDeliveries(integrationId, named, 'integration_disabled', one)).toBe(0);
      expect(await second.discardDeliveries(integrationId, { ids: [] }, 'integration_disabled', one)).toBe(0);
      expect(await statesOf(first, integrationId)).toEqual(['claimed', 'discarded', 'discarded', 'queued']);
      expect(await readDelivery(first, integrationId, ids[1]!)).toMatchObject({
        reason: 'integration_disabled',
        nextAttemptAt: null,
        finishedAt: one,
      });
    });

    it('discards the oldest first, up to a limit', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 4);
      const discard = (limit: number) => first.discardDeliveries(integrationId, { limit }, 'discarded_by_hand', one);
      expect(await discard(1)).toBe(1);
      const [queued, discarded] = ['queued', 'discarded'];
      expect(await statesOf(first, integrationId)).toEqual([discarded, queued, queued, queued]);
      expect(await discard(2)).toBe(2);
      expect(await statesOf(first, integrationId)).toEqual([discarded, discarded, discarded, queued]);
      expect(await discard(9)).toBe(1);
    });

    race('up to a limit says less only when nothing is left, also while others claim', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 60);
      await first.becomeConsumer(integrationId, 'run/1', one);
      const claims = Array.from({ length: 6 }, () => claimLot(first, integrationId, { order: 'none', limit: 5 }));
      const which = { limit: 10 };
      let discarded: number;
      do discarded = await second.discardDeliveries(integrationId, which, 'discarded_by_hand', one);
      while (discarded === which.limit);
      const queued = await first.listDeliveries(integrationId, { state: 'queued' }, { limit: 1, after: null });
      expect(queued.rows).toEqual([]);
      await Promise.all(claims);
    });

    it('tells nothing of how the last attempt failed, and neither does an expiry', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const ids = await insertSome(first, integrationId, 3);
      await endAll(first, integrationId, id => retry(id, later(one, 1_000)));
      expect(await readDelivery(first, integrationId, ids[0]!)).toMatchObject({ state: 'queued', detail: 'HTTP 500' });
      await first.discardDeliveries(integrationId, { ids: [ids[0]!] }, 'integration_disabled', one);
      await first.discardDeliveries(integrationId, { limit: 1 }, 'discarded_by_hand', one);
      await first.expireDeliveries(integrationId, { before: later(noon, 60_000), keep: 0, limit: 9 }, one);
      const ends = await Promise.all(ids.map(id => readDelivery(first, integrationId, id)));
      expect(ends.map(({ reason, detail }) => [reason, detail])).toEqual([
        ['integration_disabled', null],
        ['discarded_by_hand', null],
        ['held_too_long', null],
      ]);
    });

    race('and a claim at the same time share the rows between them', async () => {
      const { first, second } = under();
      for (let round = 0; round < 10; round += 1) {
        const integrationId = newIntegration();
        const ids = await insertSome(first, integrationId, 40);
        await first.becomeConsumer(integrationId, 'run/1', one);
        const [lot, discarded] = await Promise.all([
          claimLot(first, integrationId, { limit: 20 }),
          second.discardDeliveries(integrationId, { ids: [...ids].reverse() }, 'integration_disabled', one),
        ]);
        expect(lot.length + discarded).toBe(40);
        expect((await statesOf(first, integrationId)).filter(state => state === 'claimed')).toHaveLength(lot.length);
      }
    });
  });

  describe('expireDeliveries', () => {
    it('takes what is too old, then the oldest beyond what is kept, and says how many of each', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const ids = await insertSome(first, integrationId, 10);
      const bounds = { before: later(noon, 2_000), keep: 5, limit: 100 };
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 2, tooMany: 3 });
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 0, tooMany: 0 });
      const read = (index: number) => readDelivery(first, integrationId, ids[index]!);
      expect(await read(1)).toMatchObject({ state: 'expired', reason: 'held_too_long', finishedAt: one });
      expect(await read(4)).toMatchObject({ state: 'expired', reason: 'held_too_many', finishedAt: one });
      expect(await read(5)).toMatchObject({ state: 'queued', reason: null, finishedAt: null });
    });

    it('does at most its limit of each in one call, and leaves claimed ones alone', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 12);
      await first.becomeConsumer(integrationId, 'run/1', one);
      await claimLot(first, integrationId, { limit: 1 });
      const bounds = { before: later(noon, 5_000), keep: 2, limit: 3 };
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 3, tooMany: 3 });
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 0, tooMany: 3 });
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 0, tooMany: 0 });
      const states = await statesOf(first, integrationId);
      expect([states[0], ...states.slice(-2)]).toEqual(['claimed', 'queued', 'queued']);
    });

    it('can keep none', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 3);
      const bounds = { before: noon, keep: 0, limit: 100 };
      expect(await first.expireDeliveries(integrationId, bounds, one)).toEqual({ tooLong: 0, tooMany: 3 });
    });
  });

  describe('replayDeliveries', () => {
    it('queues one by its id, from zero attempts, in its old place', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      const ids = await insertSome(first, integrationId, 2);
      await endAll(first, integrationId, id => failed(id, 'no'));
      const [newer] = await insertSome(first, integrationId, 1);
      expect(await second.replayDeliveries(newIntegration(), { id: ids[1]! })).toBe(0);
      expect(await second.replayDeliveries(integrationId, { id: ids[1]! })).toBe(1);
      expect(await second.replayDeliveries(integrationId, { id: ids[1]! })).toBe(0);
      expect(await readDelivery(first, integrationId, ids[1]!)).toMatchObject({
        state: 'queued',
        attempts: 0,
        crashes: 0,
        reason: null,
        detail: null,
        nextAttemptAt: null,
        finishedAt: null,
      });
      expect(idsOf(await claimLot(first, integrationId))).toEqual([ids[1], newer]);
    });

    it.each<[string, (store: Store, integrationId: IntegrationId) => Promise<unknown>]>([
      ['queued', () => Promise.resolve()],
      ['succeeded', (store, integrationId) => endAll(store, integrationId, succeeded)],
      ['waiting', (store, integrationId) => endAll(store, integrationId, id => retry(id, later(one, 1)))],
    ])('leaves one that is %s alone', async (_name, prepare) => {
      const { first } = under();
      const integrationId = newIntegration();
      const [id] = (await insertSome(first, integrationId, 1)) as [DeliveryId];
      await prepare(first, integrationId);
      const before = await readDelivery(first, integrationId, id);
      expect(await first.replayDeliveries(integrationId, { id })).toBe(0);
      expect(await readDelivery(first, integrationId, id)).toEqual(before);
    });

    it('queues those of a state, the oldest first, up to a limit', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 3);
      await endAll(first, integrationId, id => failed(id));
      await insertSome(first, integrationId, 3);
      await first.expireDeliveries(integrationId, { before: noon, keep: 0, limit: 9 }, one);
      const replay = (state: 'failed' | 'discarded' | 'expired', limit: number) =>
        first.replayDeliveries(integrationId, { state, limit });
      expect([await replay('discarded', 9), await replay('failed', 2)]).toEqual([0, 2]);
      const [queued, dead, expired] = ['queued', 'failed', 'expired'];
      expect(await statesOf(first, integrationId)).toEqual([queued, queued, dead, expired, expired, expired]);
      expect([await replay('expired', 9), await replay('failed', 9), await replay('failed', 9)]).toEqual([3, 1, 0]);
    });
  });

  describe('deleteFinishedDeliveries', () => {
    it('deletes what ended before a time, the oldest first, and nothing that is still to be done', async () => {
      const { first } = under();
      // Long before everything else here, which shares the table.
      const past = new Date('2001-01-01T00:00:00.000Z');
      const integrationId = newIntegration();
      await insertSome(first, integrationId, 4);
      await first.becomeConsumer(integrationId, 'run/1', one);
      const ids = idsOf(await claimLot(first, integrationId, { limit: 3 }));
      for (const [index, id] of ids.entries()) {
        await first.finishDeliveries(integrationId, 'run/1', [succeeded(id)], later(past, index));
      }
      expect(await first.deleteFinishedDeliveries(past, 100)).toBe(0);
      expect(await first.deleteFinishedDeliveries(later(past, 2), 1)).toBe(1);
      expect(await first.getDelivery(integrationId, ids[0]!)).toBeNull();
      expect(await first.deleteFinishedDeliveries(later(past, 2), 100)).toBe(1);
      expect(await statesOf(first, integrationId)).toEqual(['succeeded', 'queued']);
    });
  });

  describe('deleteStaleConsumers', () => {
    it('deletes those of long ago, the oldest first, who claim and finish nothing more; a new one goes on', async () => {
      const { first, second } = under();
      // Long before everything else here, which shares the table.
      const past = new Date('2001-01-01T00:00:00.000Z');
      const [oldest, older, recent] = [newIntegration(), newIntegration(), newIntegration()];
      await insertSome(first, oldest, 2);
      await first.becomeConsumer(older, 'run/1', later(past, 1));
      await first.becomeConsumer(oldest, 'run/1', past);
      await first.becomeConsumer(recent, 'run/1', later(past, 2));
      const [claimed] = idsOf(await claimLot(first, oldest, { limit: 1 }));
      expect(await second.deleteStaleConsumers(past, 9)).toBe(0);
      expect(await second.deleteStaleConsumers(later(past, 2), 1)).toBe(1);
      expect(await first.claimDeliveries(claimOf(oldest))).toBeNull();
      expect(await first.finishDeliveries(oldest, 'run/1', [succeeded(claimed!)], one)).toEqual([claimed]);
      expect(await first.claimDeliveries(claimOf(older))).toEqual([]);
      expect(await second.deleteStaleConsumers(later(past, 2), 9)).toBe(1);
      expect(await first.claimDeliveries(claimOf(older))).toBeNull();
      expect(await first.claimDeliveries(claimOf(recent))).toEqual([]);
      await first.becomeConsumer(oldest, 'run/2', one);
      expect(idsOf(await claimLot(first, oldest, { claim: 'run/2' }))).toEqual([claimed]);
    });
  });
}
