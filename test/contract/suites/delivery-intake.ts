import { newId } from '../../../src/ids.js';
import {
  deliveryOf,
  failed,
  endAll,
  idsOf,
  insertSome,
  claimLot,
  newIntegration,
  one,
  readDelivery,
  succeeded,
} from '../delivery-fixtures.js';
import { atOnce, later, noon, writers, type StoreUnderTest, race } from '../fixtures.js';

const all = { limit: 100, after: null };

export function describeDeliveryIntake(under: () => StoreUnderTest): void {
  describe('insertDeliveries', () => {
    it('stores a delivery as it came, for every process to see', async () => {
      const { first, second } = under();
      const given = deliveryOf(newIntegration(), { externalId: 'Ünïcode ☃ "\'\\,{}', sealedContent: 'a☃,"\\\n' });
      expect(await first.insertDeliveries([given])).toEqual([{ outcome: 'stored', id: given.id }]);
      expect(await second.getDelivery(given.integrationId, given.id)).toEqual({
        id: given.id,
        integrationId: given.integrationId,
        provider: given.provider,
        externalId: given.externalId,
        state: 'queued',
        attempts: 0,
        crashes: 0,
        nextAttemptAt: null,
        reason: null,
        detail: null,
        receivedAt: given.receivedAt,
        finishedAt: null,
      });
      await second.becomeConsumer(given.integrationId, 'run/1', one);
      const [claimed] = await claimLot(second, given.integrationId);
      expect(claimed?.sealedContent).toBe(given.sealedContent);
      expect(claimed?.externalId).toBe(given.externalId);
    });

    it('stores nothing for nothing', async () => {
      expect(await under().first.insertDeliveries([])).toEqual([]);
    });

    it('keeps contents of a megabyte, many in one call', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const rows = ['a', 'b', 'c', 'd'].map(letter =>
        deliveryOf(integrationId, { sealedContent: letter.repeat(1_048_576) }),
      );
      await first.insertDeliveries(rows);
      await first.becomeConsumer(integrationId, 'run/1', one);
      const lot = await claimLot(first, integrationId);
      expect(lot.map(({ sealedContent }) => sealedContent === sealedContent[0]?.repeat(1_048_576))).toEqual(
        rows.map(() => true),
      );
      expect(lot.map(({ sealedContent }) => sealedContent[0])).toEqual(['a', 'b', 'c', 'd']);
    });

    it('answers in the order given and keeps it as the order of arrival, whatever ids and keys sort like', async () => {
      const { first } = under();
      const [left, right] = [newIntegration(), newIntegration()];
      const names = ['m', 'z', 'a', 'Q', '0', 'é'];
      const rows = names.flatMap(externalId => [deliveryOf(right, { externalId }), deliveryOf(left, { externalId })]);
      // As if the servers' clocks and ids went backwards.
      const ids = idsOf(rows).reverse();
      const given = rows.map((row, index) => ({ ...row, id: ids[index] ?? row.id }));
      const outcomes = await first.insertDeliveries(given);
      expect(outcomes).toEqual(given.map(({ id }) => ({ outcome: 'stored', id })));
      for (const integrationId of [left, right]) {
        await first.becomeConsumer(integrationId, 'run/1', one);
        const lot = await claimLot(first, integrationId);
        expect(lot.map(({ externalId }) => externalId)).toEqual(names);
      }
    });

    it('takes the first of a key within one call and across calls, per integration', async () => {
      const { first, second } = under();
      const [left, right] = [newIntegration(), newIntegration()];
      const key = { externalId: 'one' };
      const rows = [deliveryOf(left, key), deliveryOf(left, key), deliveryOf(right, key), deliveryOf(left)];
      expect((await first.insertDeliveries(rows)).map(({ outcome }) => outcome)).toEqual([
        'stored',
        'duplicate',
        'stored',
        'stored',
      ]);
      expect(await second.insertDeliveries([deliveryOf(left, key), deliveryOf(right, key)])).toEqual([
        { outcome: 'duplicate', id: null },
        { outcome: 'duplicate', id: null },
      ]);
      expect((await first.listDeliveries(left, {}, all)).rows.map(({ id }) => id)).toEqual([rows[0]?.id, rows[3]?.id]);
    });

    race('stores one row for 50 at once with one key', async () => {
      const integrationId = newIntegration();
      const outcomes = await atOnce(under(), store =>
        store.insertDeliveries([deliveryOf(integrationId, { externalId: 'same' })]),
      );
      const kinds = outcomes.flat().map(({ outcome }) => outcome);
      expect(kinds.filter(kind => kind === 'stored')).toHaveLength(1);
      expect(kinds.filter(kind => kind === 'duplicate')).toHaveLength(writers - 1);
      const stored = outcomes.flat().find(({ outcome }) => outcome === 'stored');
      expect((await under().first.listDeliveries(integrationId, {}, all)).rows.map(({ id }) => id)).toEqual([
        stored?.id,
      ]);
    });

    race('lets two processes store the same many in opposite orders without standing in each other’s way', async () => {
      const { first, second } = under();
      for (let round = 0; round < 10; round += 1) {
        const integrationId = newIntegration();
        const rows = Array.from({ length: 200 }, () => deliveryOf(integrationId));
        const again = rows.map(row => ({ ...row, id: newId('delivery') })).reverse();
        const [ahead, back] = await Promise.all([first.insertDeliveries(rows), second.insertDeliveries(again)]);
        const stored = [...ahead, ...back].filter(({ outcome }) => outcome === 'stored');
        expect(stored).toHaveLength(200);
      }
    });

    it('leaves one that is queued, claimed or done alone', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      const [done] = [deliveryOf(integrationId)];
      await first.insertDeliveries([done]);
      await endAll(first, integrationId, succeeded);
      const [held, queued] = [deliveryOf(integrationId), deliveryOf(integrationId)];
      await first.insertDeliveries([held]);
      await claimLot(first, integrationId);
      await first.insertDeliveries([queued]);
      const before = await first.listDeliveries(integrationId, {}, all);
      expect(before.rows.map(({ state }) => state)).toEqual(['succeeded', 'claimed', 'queued']);
      const again = [done, held, queued].map(row => ({ ...row, id: newId('delivery'), receivedAt: one }));
      expect((await first.insertDeliveries(again)).map(({ outcome }) => outcome)).toEqual(again.map(() => 'duplicate'));
      expect(await first.listDeliveries(integrationId, {}, all)).toEqual(before);
    });

    it('queues a failed, discarded or expired one again: its new content, attempts from zero, behind what is there', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      const rows = [0, 1, 2].map(index => deliveryOf(integrationId, { receivedAt: later(noon, index) }));
      await first.insertDeliveries(rows.slice(0, 1));
      await endAll(first, integrationId, id => failed(id, 'no'));
      await first.insertDeliveries(rows.slice(1, 2));
      await first.discardDeliveries(integrationId, { limit: 9 }, 'integration_disabled', one);
      await first.insertDeliveries(rows.slice(2));
      await first.expireDeliveries(integrationId, { before: one, keep: 9, limit: 9 }, one);
      const listed = (await first.listDeliveries(integrationId, {}, all)).rows;
      expect(listed.map(({ state }) => state)).toEqual(['failed', 'discarded', 'expired']);

      const [waiting] = await insertSome(first, integrationId, 1);
      const again = rows.map(row => ({ ...row, id: newId('delivery'), sealedContent: 'newer', receivedAt: one }));
      expect(await second.insertDeliveries(again)).toEqual(rows.map(({ id }) => ({ outcome: 'queued_again', id })));
      for (const { id } of rows) {
        expect(await readDelivery(first, integrationId, id)).toMatchObject({
          state: 'queued',
          attempts: 0,
          crashes: 0,
          reason: null,
          detail: null,
          nextAttemptAt: null,
          finishedAt: null,
          receivedAt: one,
        });
      }
      const lot = await claimLot(first, integrationId);
      expect(idsOf(lot)).toEqual([waiting, ...idsOf(rows)]);
      expect(lot.slice(1).map(({ sealedContent }) => sealedContent)).toEqual(['newer', 'newer', 'newer']);
    });

    race('queues a failed one again once, for 50 at once', async () => {
      const integrationId = newIntegration();
      const row = deliveryOf(integrationId);
      await under().first.insertDeliveries([row]);
      await endAll(under().first, integrationId, id => failed(id));
      const outcomes = await atOnce(under(), store =>
        store.insertDeliveries([{ ...row, id: newId('delivery'), receivedAt: one }]),
      );
      expect(outcomes.flat().filter(({ outcome }) => outcome === 'queued_again')).toEqual([
        { outcome: 'queued_again', id: row.id },
      ]);
    });

    it('refuses a provider’s id that cannot be stored as bad input, and stores none of its call', async () => {
      const { first } = under();
      const integrationId = newIntegration();
      for (const externalId of ['a\u0000b', 'a\u001fb']) {
        const rows = [deliveryOf(integrationId), deliveryOf(integrationId, { externalId })];
        await expect(first.insertDeliveries(rows)).rejects.toMatchObject({ code: 'invalid_request' });
      }
      expect((await first.listDeliveries(integrationId, {}, all)).rows).toEqual([]);
    });
  });
}
