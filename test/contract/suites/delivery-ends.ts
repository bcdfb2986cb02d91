import {
  claimLot,
  consumedBy,
  deliveryOf,
  failed,
  newIntegration,
  one,
  released,
  retry,
  succeeded,
} from '../delivery-fixtures.js';
import { later, minute, type StoreUnderTest } from '../fixtures.js';

const soon = later(one, minute);

export function describeDeliveryEnds(under: () => StoreUnderTest): void {
  const consumed = (count: number) => consumedBy(under(), count);

  describe('finishDeliveries', () => {
    it('counts no attempt for one that could not be opened', async () => {
      const { first, integrationId, ids, read } = await consumed(1);
      await claimLot(first, integrationId);
      const reason = 'content_unreadable';
      const end = { id: ids[0]!, kind: 'failed', reason, detail: null, nextAttemptAt: null } as const;
      expect(await first.finishDeliveries(integrationId, 'run/1', [end], one)).toEqual([]);
      expect(await read(0)).toMatchObject({ state: 'failed', reason, attempts: 0 });
    });

    it('ends a mixed lot in one call', async () => {
      const { first, integrationId, ids, end, read } = await consumed(4);
      await claimLot(first, integrationId);
      const [a, b, c, d] = ids as [never, never, never, never];
      expect(await end(failed(b, 'Nein ☃ "'), released(d, false), succeeded(a), retry(c, soon))).toEqual([]);
      const left = { reason: null, detail: null, nextAttemptAt: null };
      expect(await read(0)).toMatchObject({ ...left, state: 'succeeded', attempts: 1, finishedAt: one });
      expect(await read(1)).toMatchObject({
        state: 'failed',
        attempts: 1,
        reason: 'handler_refused',
        detail: 'Nein ☃ "',
        nextAttemptAt: null,
        finishedAt: one,
      });
      expect(await read(2)).toMatchObject({
        state: 'queued',
        attempts: 1,
        reason: 'handler_failed',
        detail: 'HTTP 500',
        nextAttemptAt: soon,
        finishedAt: null,
      });
      expect(await read(3)).toMatchObject({ ...left, state: 'queued', attempts: 0, finishedAt: null });
    });

    it('tells why one was released, where that is to be told', async () => {
      const { first, integrationId, ids, end, read } = await consumed(2);
      const [a, b] = ids as [never, never];
      await claimLot(first, integrationId);
      await end(retry(a, one), released(b, false));
      await claimLot(first, integrationId);
      expect(await end({ id: a, kind: 'released', ran: true, reason: 'credential_dead' }, released(b, false))).toEqual(
        [],
      );
      expect(await read(0)).toMatchObject({ state: 'queued', attempts: 1, reason: 'credential_dead', detail: null });
      expect(await read(1)).toMatchObject({ state: 'queued', attempts: 0, reason: null, detail: null });
      await claimLot(first, integrationId);
      await end(succeeded(a));
      expect(await read(0)).toMatchObject({ state: 'succeeded', attempts: 2, reason: null });
    });

    it('remembers how the last attempt failed through a release, and forgets it on success', async () => {
      const { first, integrationId, ids, end, read } = await consumed(1);
      const id = ids[0]!;
      await claimLot(first, integrationId);
      await end(retry(id, one));
      await claimLot(first, integrationId);
      await end(released(id, true));
      expect(await read(0)).toMatchObject({
        attempts: 1,
        reason: 'handler_failed',
        detail: 'HTTP 500',
        nextAttemptAt: null,
      });
      await claimLot(first, integrationId);
      await end(succeeded(id));
      expect(await read(0)).toMatchObject({ attempts: 2, reason: null, detail: null });
    });

    it('names those whose claim was lost, and leaves them as they are', async () => {
      const { first, second, integrationId, ids, end, read } = await consumed(3);
      await claimLot(first, integrationId, { limit: 2 });
      expect(await end(succeeded(ids[0]!), succeeded(ids[2]!), succeeded(deliveryOf(integrationId).id))).toHaveLength(
        2,
      );
      expect(await end(failed(ids[0]!))).toEqual([ids[0]]);
      await second.becomeConsumer(integrationId, 'run/2', one);
      expect(await end(succeeded(ids[1]!))).toEqual([ids[1]]);
      await claimLot(second, integrationId, { claim: 'run/2' });
      expect(await end(succeeded(ids[1]!))).toEqual([ids[1]]);
      expect((await Promise.all([read(0), read(1), read(2)])).map(({ state }) => state)).toEqual([
        'succeeded',
        'claimed',
        'queued',
      ]);
      expect(await first.finishDeliveries(newIntegration(), 'run/2', [succeeded(ids[1]!)], one)).toEqual([ids[1]]);
      expect(await first.finishDeliveries(integrationId, 'run/2', [], one)).toEqual([]);
    });

    it('ends 200 at once, and writes any words of a handler', async () => {
      const { first, integrationId, ids, end, read } = await consumed(200);
      expect(await claimLot(first, integrationId)).toHaveLength(200);
      expect(
        await end(...ids.map((id, index) => (index === 7 ? failed(id, 'a\u0000b \ud83d c 😀') : succeeded(id)))),
      ).toEqual([]);
      expect((await read(7)).detail).toBe('ab \ufffd c 😀');
      expect(await first.readQueue(integrationId, 10)).toBeNull();
    });
  });
}
