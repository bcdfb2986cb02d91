import type { Integration, IntegrationGateRow, Page } from '../../../src/store/port/store.js';
import { newIntegration, one } from '../delivery-fixtures.js';
import {
  atOnce,
  deadBecauseOf,
  insertEntity,
  insertIntegration,
  later,
  newUser,
  noon,
  walk,
  type StoreUnderTest,
  raceMark,
} from '../fixtures.js';

const write = { sealedSecrets: 'sealed', expiresAt: later(one, 2), dueAt: later(one, 1), failure: null };

export function describeSubscriptions(under: () => StoreUnderTest): void {
  describe('a subscription', () => {
    it('is written while its version is the one that was read', async () => {
      const { first, second } = under();
      const integrationId = newIntegration();
      expect(await first.getSubscription(integrationId)).toBeNull();
      expect(await first.compareAndSetSubscription(integrationId, 1, write)).toBeNull();
      const stored = await first.compareAndSetSubscription(integrationId, 0, write);
      expect(stored).toEqual({ integrationId, ...write, version: 1 });
      expect(await second.getSubscription(integrationId)).toEqual(stored);
      expect(await second.compareAndSetSubscription(integrationId, 0, write)).toBeNull();
      const failure = { detail: 'HTTP 500 ☃', since: noon, tries: 2 };
      const next = { sealedSecrets: null, expiresAt: null, dueAt: null, failure };
      expect(await second.compareAndSetSubscription(integrationId, 1, next)).toEqual({
        integrationId,
        ...next,
        version: 2,
      });
      expect(await first.compareAndSetSubscription(integrationId, 1, write)).toBeNull();
      expect(await first.compareAndSetSubscription(integrationId, 2, write)).toEqual({
        integrationId,
        ...write,
        version: 3,
      });
    });

    it('is written with any words of a failure', async () => {
      const { first } = under();
      const failure = { detail: 'a\u0000b \ud83d c 😀', since: noon, tries: 1 };
      const stored = await first.compareAndSetSubscription(newIntegration(), 0, { ...write, failure });
      expect(stored?.failure?.detail).toBe('ab \ufffd c 😀');
    });

    it.each([0, 1])(`is written by one of 50 at once (version %i)${raceMark}`, async version => {
      const integrationId = newIntegration();
      if (version === 1) await under().first.compareAndSetSubscription(integrationId, 0, write);
      const wrote = await atOnce(under(), (store, index) =>
        store.compareAndSetSubscription(integrationId, version, { ...write, sealedSecrets: `sealed-${index}` }),
      );
      const winners = wrote.filter(row => row !== null);
      expect(winners).toHaveLength(1);
      expect(await under().second.getSubscription(integrationId)).toEqual(winners[0]);
    });

    it('is told as missing for each integration that has none, in steps of the order of their ids', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const made: Integration[] = [];
      for (const type of ['a', 'b', 'c', 'd']) {
        made.push(await insertIntegration(first, userId, [entity.id], { type: `unsubscribed-${type}` }));
      }
      const [none, has, dead, last] = made as [Integration, Integration, Integration, Integration];
      await first.compareAndSetSubscription(has.id, 0, write);
      const cause = deadBecauseOf(entity.credentialId);
      await first.compareAndSetIntegration(dead.id, 1, { state: cause }, one);
      for (const limit of [1, 2, 500]) {
        const found: IntegrationGateRow[] = [];
        let after: string | null = null;
        do {
          const page: Page<IntegrationGateRow> = await second.listUnsubscribedIntegrations({ limit, after });
          found.push(...page.rows.filter(row => made.some(({ id }) => id === row.id)));
          after = page.next;
        } while (after !== null);
        const row = ({ id, type }: Integration) => ({ id, type });
        expect(found).toEqual([
          { ...row(none), status: 'ENABLED', statusSince: noon, openCauses: 0, version: 1 },
          { ...row(dead), status: 'ERROR', statusSince: one, openCauses: 1, version: 2 },
          { ...row(last), status: 'ENABLED', statusSince: noon, openCauses: 0, version: 1 },
        ]);
      }
    });

    it('is due by its time, the longest due first, up to a limit', async () => {
      const { first } = under();
      // Long before everything else here, which shares the table.
      const past = new Date('2001-01-01T00:00:00.000Z');
      const ids = [newIntegration(), newIntegration(), newIntegration(), newIntegration()] as const;
      const dueAt = [later(past, 2), past, later(past, 3), null];
      for (const [index, id] of ids.entries()) {
        await first.compareAndSetSubscription(id, 0, { ...write, dueAt: dueAt[index] ?? null });
      }
      const due = async (now: Date, limit: number) =>
        (await first.listDueSubscriptions(now, { limit, after: null })).rows.map(({ integrationId }) => integrationId);
      expect(await due(later(past, -1), 9)).toEqual([]);
      expect(await due(later(past, 2), 9)).toEqual([ids[1], ids[0]]);
      expect(await due(later(past, 3), 9)).toEqual([ids[1], ids[0], ids[2]]);
      expect(await due(later(past, 3), 1)).toEqual([ids[1]]);
      await first.deleteSubscription(ids[1]);
      await first.deleteSubscription(ids[1]);
      expect(await due(later(past, 3), 1)).toEqual([ids[0]]);
      expect(await first.getSubscription(ids[1])).toBeNull();
      await first.deleteSubscription(ids[0]);
      await first.deleteSubscription(ids[2]);
    });

    it('is found page by page to the end, each once, also where many are due at one time', async () => {
      const { first } = under();
      const past = new Date('2001-01-01T00:00:00.000Z');
      const made = Array.from({ length: 9 }, (_, index) => ({
        integrationId: newIntegration(),
        dueAt: later(past, Math.floor(index / 4)),
      }));
      for (const { integrationId, dueAt } of made) {
        await first.compareAndSetSubscription(integrationId, 0, { ...write, dueAt });
      }
      for (const limit of [1, 2, 4, 5, 9, 100]) {
        const seen = await walk(page => first.listDueSubscriptions(later(past, 2), page), limit);
        expect(seen.map(({ integrationId }) => integrationId)).toEqual(made.map(({ integrationId }) => integrationId));
      }
    });
  });
}
