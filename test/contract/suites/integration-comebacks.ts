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

  describe('findIntegrationsOnAccounts', () => {
    it('finds for each account its integrations but of the types left out, whoever their users, each once, the oldest first', async () => {
      const { first, second } = under();
      const [one, other] = [newExternalId(), newExternalId()];
      const made: Record<string, string[]> = { [one]: [], [other]: [] };
      for (const externalId of [one, other, one]) {
        const entity = await connect(first, attio, externalId);
        const another = await insertEntity(first, entity.userId);
        for (const entityIds of [[entity.id], [entity.id, another.id]]) {
          made[externalId]?.push((await insertIntegration(first, entity.userId, entityIds, { type: 'taking' })).id);
        }
        await insertIntegration(first, entity.userId, [another.id], { type: 'taking' });
        await insertIntegration(first, entity.userId, [entity.id], { type: 'not-taking' });
      }
      const elsewhere = { provider: 'pipedrive' as ProviderId, externalId: one };
      await connect(first, elsewhere.provider, one);
      const ask = async (limitEach: number) => {
        const accounts = [one, newExternalId(), other].map(externalId => ({ provider: attio, externalId }));
        const found = await second.findIntegrationsOnAccounts(
          [...accounts, elsewhere],
          ['not-taking', 'other'],
          limitEach,
        );
        return Object.fromEntries(
          found
            .filter(row => row.integrationIds.length > 0)
            .map(row => [`${row.provider}/${row.externalId}`, row.integrationIds]),
        );
      };
      expect(await ask(100)).toEqual({ [`attio/${one}`]: made[one], [`attio/${other}`]: made[other] });
      expect(await ask(3)).toEqual({ [`attio/${one}`]: made[one]?.slice(0, 3), [`attio/${other}`]: made[other] });
    });

    it('finds nothing for nothing, nor for an account whose id no row can hold, and others beside it', async () => {
      const { first } = under();
      const entity = await connect(first, attio, newExternalId());
      const { id } = await insertIntegration(first, entity.userId, [entity.id], { type: 'taking' });
      expect(await first.findIntegrationsOnAccounts([], [], 9)).toEqual([]);
      const odd = ['', 'a\0b', 'a\u001fb', '\ud800', "';--", ','].map(text => text as typeof entity.externalId);
      const accounts = [...odd, entity.externalId].map(externalId => ({ provider: attio, externalId }));
      const found = await first.findIntegrationsOnAccounts(accounts, [], 9);
      expect(found.filter(row => row.integrationIds.length > 0)).toEqual([
        { provider: attio, externalId: entity.externalId, integrationIds: [id] },
      ]);
      expect(await first.findIntegrationsOnAccounts([{ provider: attio, externalId: odd[0]! }], ['other'], 9)).toEqual(
        [],
      );
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
