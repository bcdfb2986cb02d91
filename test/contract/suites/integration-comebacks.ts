import type { ProviderId } from '../../../src/domain/ids.js';
import { newId } from '../../../src/ids.js';
import type { Store } from '../../../src/store/port/store.js';
import {
  attio,
  grantOf,
  insertEntity,
  insertIntegration,
  later,
  newExternalId,
  newUser,
  noon,
  ready,
  walk,
  type StoreUnderTest,
} from '../fixtures.js';

const all = { limit: 100, after: null };

export function describeComebacks(under: () => StoreUnderTest): void {
  describe('the time since when an integration was cut off', () => {
    it('is written when given, kept when not, and cleared by null', async () => {
      const { first, second } = under();
      const userId = newUser();
      const { id } = await insertIntegration(first, userId, [(await insertEntity(first, userId)).id]);
      const write = async (version: number, resumeSince?: Date | null) =>
        (await first.compareAndSetIntegration(
          id,
          version,
          resumeSince === undefined ? { state: ready } : { state: ready, resumeSince },
          noon,
        ))!.resumeSince;
      expect(await write(1, noon)).toEqual(noon);
      expect(await write(2)).toEqual(noon);
      expect((await second.getIntegration(id))?.resumeSince).toEqual(noon);
      expect(await write(3, null)).toBeNull();
      expect(await write(4)).toBeNull();
      expect(await first.compareAndSetIntegration(id, 4, { state: ready, resumeSince: noon }, noon)).toBeNull();
      expect((await second.getIntegration(id))?.resumeSince).toBeNull();
    });

    it('finds those that were not told yet, the oldest first', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      // Long before everything else here, which shares the table.
      const past = new Date('2001-01-01T00:00:00.000Z');
      const made = [];
      for (const [resumeSince, updatedAt] of [
        [noon, later(past, 2)],
        [null, past],
        [noon, later(past, 1)],
        [noon, later(past, 3)],
      ] as const) {
        const { id } = await insertIntegration(first, userId, [entity.id]);
        await first.compareAndSetIntegration(id, 1, { state: ready, resumeSince }, updatedAt);
        made.push(id);
      }
      const found = async (limit: number) =>
        (await first.listUnresumedIntegrations(later(past, 3), { limit, after: null })).rows.map(({ id }) => id);
      expect(await found(9)).toEqual([made[2], made[0]]);
      expect(await found(1)).toEqual([made[2]]);
      const same = [];
      for (let count = 0; count < 5; count += 1) {
        const { id } = await insertIntegration(first, userId, [entity.id]);
        await first.compareAndSetIntegration(id, 1, { state: ready, resumeSince: noon }, later(past, 2));
        same.push(id);
      }
      for (const limit of [1, 2, 3, 9]) {
        const seen = await walk(page => first.listUnresumedIntegrations(later(past, 3), page), limit);
        expect(seen.map(({ id }) => id)).toEqual([made[2], made[0], ...same]);
      }
    });
  });

  describe('findIntegrationsByAccount', () => {
    it('finds every integration of the account, whoever its user, each once, page by page', async () => {
      const { first, second } = under();
      const externalId = newExternalId();
      const made: string[] = [];
      for (let user = 0; user < 3; user += 1) {
        const entity = await connect(first, attio, externalId);
        made.push((await insertIntegration(first, entity.userId, [entity.id])).id);
        const another = await insertEntity(first, entity.userId);
        made.push((await insertIntegration(first, entity.userId, [entity.id, another.id])).id);
        await insertIntegration(first, entity.userId, [another.id]);
      }
      await connect(first, 'pipedrive' as ProviderId, externalId);
      for (const limit of [1, 4, 6, 100]) {
        const seen: string[] = [];
        for (let after: string | null = null; ; ) {
          const { rows, next } = await second.findIntegrationsByAccount(attio, externalId, { limit, after });
          seen.push(...rows.map(({ id }) => id));
          if (next === null) break;
          after = next;
        }
        expect(seen).toEqual(made);
      }
      expect((await first.findIntegrationsByAccount('pipedrive' as ProviderId, externalId, all)).rows).toEqual([]);
      expect((await first.findIntegrationsByAccount(attio, newExternalId(), all)).rows).toEqual([]);
    });
  });
}

async function connect(store: Store, provider: ProviderId, externalId: ReturnType<typeof newExternalId>) {
  const userId = newUser();
  const key = { id: newId('credential'), userId, provider, externalId };
  const credential = await store.insertCredential(key, grantOf(1), noon);
  if (credential === null) throw new Error('the credential exists already');
  return store.upsertEntity(
    { id: newId('entity'), userId, provider, externalId, name: null, credentialId: credential.id, grantSequence: 1 },
    noon,
  );
}
