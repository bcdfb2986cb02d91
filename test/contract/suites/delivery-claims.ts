import type { DeliveryId } from '../../../src/domain/ids.js';
import type { DeliveryOutcome } from '../../../src/store/port/store.js';
import {
  claimLot,
  claimOf,
  consumedBy,
  failed,
  idsOf,
  newIntegration,
  one,
  readDelivery,
  released,
  retry,
  succeeded,
} from '../delivery-fixtures.js';
import { later, minute, type StoreUnderTest, race, raceMark } from '../fixtures.js';

const all = { limit: 100, after: null };
const soon = later(one, minute);
const claimers = 20;

export function describeDeliveryClaims(under: () => StoreUnderTest): void {
  const consumed = (count: number) => consumedBy(under(), count);

  describe('claimDeliveries', () => {
    it.each(['arrival', 'none'] as const)('claims in the order of arrival, up to its limit (order %s)', async order => {
      const { first, integrationId, ids } = await consumed(5);
      const lot = await claimLot(first, integrationId, { order, limit: 3 });
      expect(idsOf(lot)).toEqual(ids.slice(0, 3));
      expect(lot[0]).toMatchObject({
        provider: 'attio',
        sealedContent: 'sealed-content',
        attempts: 0,
        crashes: 0,
        suspect: false,
      });
      const states = (await first.listDeliveries(integrationId, {}, all)).rows.map(({ state }) => state);
      expect(states).toEqual(['claimed', 'claimed', 'claimed', 'queued', 'queued']);
    });

    it('tells a consumer with nothing to do from one that was replaced, and from one that never was', async () => {
      const { first, second, integrationId } = await consumed(1);
      expect(await second.claimDeliveries(claimOf(integrationId, { claim: 'run/2' }))).toBeNull();
      expect(await first.claimDeliveries(claimOf(integrationId))).toHaveLength(1);
      expect(await first.claimDeliveries(claimOf(integrationId))).toEqual([]);
      await second.becomeConsumer(integrationId, 'run/2', one);
      expect(await first.claimDeliveries(claimOf(integrationId))).toBeNull();
      expect(await first.claimDeliveries(claimOf(newIntegration()))).toBeNull();
    });

    it('by arrival stops before the first that is not due, and goes on when it is', async () => {
      const { first, integrationId, ids, end } = await consumed(4);
      const [a, b, c, d] = ids as [never, never, never, never];
      await claimLot(first, integrationId);
      await end(released(a, false), retry(b, soon), released(c, false), released(d, false));
      expect(idsOf(await claimLot(first, integrationId))).toEqual([a]);
      await end(succeeded(a));
      expect(await claimLot(first, integrationId)).toEqual([]);
      expect(await claimLot(first, integrationId, { now: later(soon, -1) })).toEqual([]);
      expect(idsOf(await claimLot(first, integrationId, { now: soon }))).toEqual([b, c, d]);
    });

    it('by arrival does not overtake what is still open', async () => {
      const { first, second, integrationId, ids, end } = await consumed(4);
      expect(await claimLot(first, integrationId, { limit: 2 })).toHaveLength(2);
      expect(await claimLot(second, integrationId)).toEqual([]);
      await end(succeeded(ids[0]!));
      expect(await claimLot(second, integrationId)).toEqual([]);
      await end(succeeded(ids[1]!));
      expect(idsOf(await claimLot(second, integrationId))).toEqual(ids.slice(2));
    });

    it('without an order goes past what is not due and what is open', async () => {
      const { first, integrationId, ids, end } = await consumed(5);
      const [a, b, c] = idsOf(await claimLot(first, integrationId, { order: 'none', limit: 3 })) as [
        never,
        never,
        never,
      ];
      await end(retry(a, soon), released(c, false));
      expect(idsOf(await claimLot(first, integrationId, { order: 'none', limit: 2 }))).toEqual([c, ids[3]]);
      expect(idsOf(await claimLot(first, integrationId, { order: 'none', now: soon }))).toEqual([a, ids[4]]);
      expect((await readDelivery(first, integrationId, b)).state).toBe('claimed');
    });

    it.each(['arrival', 'none'] as const)(
      `gives each delivery to one of 20 claims at once (order %s)${raceMark}`,
      async order => {
        const { first, second, integrationId, ids } = await consumed(60);
        const lots = await Promise.all(
          Array.from({ length: claimers }, (_, index) =>
            claimLot(index % 2 === 0 ? first : second, integrationId, { order, limit: 1 + (index % 10) }),
          ),
        );
        const claimed = lots.flatMap(lot => idsOf(lot));
        expect(claimed.length).toBeGreaterThan(0);
        expect(new Set(claimed).size).toBe(claimed.length);
        for (const lot of lots) expect(idsOf(lot)).toEqual(idsOf(lot).sort());
        // By arrival only one of them can have found the head free.
        if (order === 'arrival') {
          expect(lots.filter(lot => lot.length > 0)).toHaveLength(1);
          expect(claimed).toEqual(ids.slice(0, claimed.length));
        }
      },
    );

    it('reaches no other integration', async () => {
      const { first, integrationId } = await consumed(2);
      const other = await consumed(2);
      expect(await claimLot(first, integrationId)).toHaveLength(2);
      expect(idsOf(await claimLot(first, other.integrationId))).toEqual(other.ids);
    });
  });

  describe('noteLooking', () => {
    it('is said by becoming the consumer, and taken back and said again by that consumer alone', async () => {
      const { first, second, integrationId } = await consumed(0);
      const other = newIntegration();
      const looked = (since = 0) => second.findLookedAfter([other, integrationId], new Date(since));
      // What was handed out that long ago has ended, whatever it last said.
      expect(await looked(one.getTime())).toEqual([]);
      expect(await looked()).toEqual([integrationId]);
      await second.noteLooking(integrationId, 'run/2', false);
      expect(await looked()).toEqual([integrationId]);
      await first.noteLooking(integrationId, 'run/1', false);
      expect(await looked()).toEqual([]);
      await first.noteLooking(integrationId, 'run/1', true);
      expect(await looked()).toEqual([integrationId]);
      await first.noteLooking(integrationId, 'run/1', false);
      await second.becomeConsumer(integrationId, 'run/2', one);
      expect(await looked()).toEqual([integrationId]);
      await first.noteLooking(newIntegration(), null, false);
      await first.noteLooking(integrationId, null, false);
      expect(await looked()).toEqual([]);
      expect(await second.claimDeliveries(claimOf(integrationId, { claim: 'run/2' }))).toEqual([]);
    });
  });

  describe('becomeConsumer', () => {
    it('queues what the one before left open as suspects, each claimed alone and in order', async () => {
      const { first, second, integrationId, ids } = await consumed(4);
      await claimLot(first, integrationId, { limit: 2 });
      await second.becomeConsumer(integrationId, 'run/2', one);
      for (const [place, order] of (['arrival', 'none'] as const).entries()) {
        const lot = await claimLot(second, integrationId, { claim: 'run/2', order });
        expect(lot.map(({ id, suspect, crashes }) => [id, suspect, crashes])).toEqual([[ids[place], true, 0]]);
        await second.finishDeliveries(integrationId, 'run/2', [succeeded(ids[place]!)], one);
      }
      expect(idsOf(await claimLot(second, integrationId, { claim: 'run/2' }))).toEqual(ids.slice(2));
    });

    it('changes nothing for one that was handed out before the consumer was', async () => {
      const { first, second, integrationId, ids } = await consumed(3);
      expect(await second.becomeConsumer(integrationId, 'run/2', later(one, 1))).toBe(true);
      expect(idsOf(await claimLot(second, integrationId, { claim: 'run/2', limit: 2 }))).toEqual(ids.slice(0, 2));
      expect(await first.becomeConsumer(integrationId, 'run/1', one)).toBe(false);
      expect(await first.claimDeliveries(claimOf(integrationId))).toBeNull();
      const ends = ids.slice(0, 2).map(succeeded);
      expect(await second.finishDeliveries(integrationId, 'run/2', ends, one)).toEqual([]);
      expect(await claimLot(second, integrationId, { claim: 'run/2' })).toMatchObject([{ id: ids[2], suspect: false }]);
    });

    it('ends a lot before a suspect that is not its first', async () => {
      const { first, integrationId, ids, end } = await consumed(5);
      await claimLot(first, integrationId, { limit: 3 });
      await end(released(ids[0]!, false), released(ids[1]!, false));
      await first.becomeConsumer(integrationId, 'run/2', one);
      for (const order of ['arrival', 'none'] as const) {
        const lot = await claimLot(first, integrationId, { claim: 'run/2', order });
        expect(lot.map(({ id, suspect }) => [id, suspect])).toEqual([
          [ids[0], false],
          [ids[1], false],
        ]);
        await first.finishDeliveries(
          integrationId,
          'run/2',
          lot.map(({ id }) => released(id, false)),
          one,
        );
      }
    });

    it('repeated by the same consumer suspects nothing', async () => {
      const { first, integrationId, end, ids } = await consumed(2);
      await claimLot(first, integrationId);
      expect(await first.becomeConsumer(integrationId, 'run/1', one)).toBe(true);
      expect(await end(...ids.map(succeeded))).toEqual([]);
    });

    race('takes everything from a consumer that goes on claiming and finishing meanwhile', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { first, second, integrationId, ids } = await consumed(30);
        const old = (async () => {
          const done: string[] = [];
          for (;;) {
            const lot = await first.claimDeliveries(claimOf(integrationId, { limit: 2 }));
            if (lot === null || lot.length === 0) return done;
            const lost = new Set(
              await first.finishDeliveries(
                integrationId,
                'run/1',
                lot.map(({ id }) => succeeded(id)),
                one,
              ),
            );
            done.push(...idsOf(lot).filter(id => !lost.has(id)));
          }
        })();
        const replaced = (async () => {
          await new Promise(resolve => setTimeout(resolve, round));
          await second.becomeConsumer(integrationId, 'run/2', one);
          const done: string[] = [];
          for (;;) {
            const lot = await claimLot(second, integrationId, { claim: 'run/2', limit: 7 });
            if (lot.length === 0) return done;
            expect(
              await second.finishDeliveries(
                integrationId,
                'run/2',
                lot.map(({ id }) => succeeded(id)),
                one,
              ),
            ).toEqual([]);
            done.push(...idsOf(lot));
          }
        })();
        const [before, after] = await Promise.all([old, replaced]);
        expect([...before, ...after]).toEqual(ids);
      }
    });

    race('leaves one consumer of 20 at once', async () => {
      const { first, second, integrationId } = await consumed(3);
      const claims = Array.from({ length: claimers }, (_, index) => `run/${index + 2}`);
      const store = (index: number) => (index % 2 === 0 ? first : second);
      await Promise.all(claims.map((claim, index) => store(index).becomeConsumer(integrationId, claim, one)));
      const lots = await Promise.all(
        claims.map((claim, index) => store(index).claimDeliveries(claimOf(integrationId, { claim }))),
      );
      expect(lots.filter(lot => lot !== null).map(lot => lot.length)).toEqual([3]);
    });
  });

  describe('noteCrash', () => {
    it('counts a crash unless the run ends otherwise, and only for the claim that holds', async () => {
      const { first, second, integrationId, ids, read } = await consumed(1);
      const id = ids[0]!;
      for (const [crashes, claim] of ['run/2', 'run/3', 'run/4'].entries()) {
        await claimLot(first, integrationId, { claim: `run/${crashes + 1}` });
        await second.becomeConsumer(integrationId, claim, one);
        const [lot] = await claimLot(second, integrationId, { claim });
        expect(lot).toMatchObject({ id, suspect: true, crashes });
        expect(await first.noteCrash(integrationId, id, `run/${crashes + 1}`)).toBe(false);
        expect(await first.noteCrash(newIntegration(), id, claim)).toBe(false);
        expect(await second.noteCrash(integrationId, id, claim)).toBe(true);
        expect((await read(0)).crashes).toBe(crashes + 1);
      }
      // The last run comes to an end by itself: two crashed, this one did not.
      expect(await second.finishDeliveries(integrationId, 'run/4', [succeeded(id)], one)).toEqual([]);
      expect(await read(0)).toMatchObject({ state: 'succeeded', crashes: 2, attempts: 1 });
    });

    it.each<[string, (id: DeliveryId) => DeliveryOutcome, object, boolean | null]>([
      ['a retry', id => retry(id, one), { state: 'queued', crashes: 1, attempts: 1 }, false],
      [
        'its crash',
        id => ({ id, kind: 'crashed' }),
        { state: 'queued', crashes: 2, attempts: 0, reason: 'handler_crashed' },
        true,
      ],
      ['a failure', id => failed(id), { state: 'failed', crashes: 1, attempts: 1 }, null],
      ['its release after it ran', id => released(id, true), { state: 'queued', crashes: 1, attempts: 0 }, true],
      ['its release before it ran', id => released(id, false), { state: 'queued', crashes: 2, attempts: 0 }, true],
    ])('is taken back by %s of a suspect as it should be', async (_name, outcome, expected, suspect) => {
      const { first, integrationId, ids, read } = await consumed(1);
      const id = ids[0]!;
      await claimLot(first, integrationId);
      await first.becomeConsumer(integrationId, 'run/2', one);
      await claimLot(first, integrationId, { claim: 'run/2' });
      await first.noteCrash(integrationId, id, 'run/2');
      await first.becomeConsumer(integrationId, 'run/3', one);
      await claimLot(first, integrationId, { claim: 'run/3' });
      await first.noteCrash(integrationId, id, 'run/3');
      expect(await first.finishDeliveries(integrationId, 'run/3', [outcome(id)], one)).toEqual([]);
      expect(await read(0)).toMatchObject(expected);
      if (suspect !== null) {
        expect(await claimLot(first, integrationId, { claim: 'run/3' })).toMatchObject([{ id, suspect }]);
      }
    });

    it('is all that counts: one that was no suspect is one after a crash, and charged for nothing', async () => {
      const { first, integrationId, ids, read, end } = await consumed(2);
      const id = ids[0]!;
      // Crashes beside others do not add up, however often the runs alone end otherwise.
      for (const attempts of [0, 1, 2]) {
        await claimLot(first, integrationId);
        expect(await end({ id, kind: 'crashed' }, released(ids[1]!, false))).toEqual([]);
        expect(await read(0)).toMatchObject({ state: 'queued', crashes: 0, attempts, reason: 'handler_crashed' });
        expect(await claimLot(first, integrationId)).toMatchObject([{ id, suspect: true, crashes: 0 }]);
        await first.noteCrash(integrationId, id, 'run/1');
        expect(await end(retry(id, one))).toEqual([]);
      }
    });

    it('stays counted when the delivery failed because it crashes', async () => {
      const { first, integrationId, ids, read } = await consumed(1);
      await claimLot(first, integrationId);
      await first.becomeConsumer(integrationId, 'run/2', one);
      await claimLot(first, integrationId, { claim: 'run/2' });
      await first.noteCrash(integrationId, ids[0]!, 'run/2');
      const end = {
        id: ids[0]!,
        kind: 'failed',
        reason: 'handler_crashed',
        detail: null,
        nextAttemptAt: null,
      } as const;
      await first.finishDeliveries(integrationId, 'run/2', [end], one);
      expect(await read(0)).toMatchObject({ state: 'failed', reason: 'handler_crashed', crashes: 1 });
    });
  });
}
