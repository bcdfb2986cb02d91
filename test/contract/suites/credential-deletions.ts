import type { Credential, CredentialVerdict, Store } from '../../../src/store/port/store.js';
import { RelinkError } from '../../../src/errors.js';
import { newId } from '../../../src/ids.js';
import {
  attio,
  grantOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  later,
  newUser,
  noon,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

const refused: CredentialVerdict = { code: 'credential_refused', httpStatus: 401, since: noon };

async function markDeleted(store: Store, { id, epoch }: Credential): Promise<Credential> {
  const marked = await store.markCredentialDeleted(id, epoch, later(noon, 5));
  if (marked === null) throw new Error('not marked');
  return marked;
}

/** `none`, where the store asks to try again. */
const orLater = <Result>(removal: Promise<Result>, none: Result): Promise<Result> =>
  removal.catch((error: unknown) => {
    if (error instanceof RelinkError && error.code === 'write_conflict') return none;
    throw error;
  });

/** The end of a credential: marked, emptied, removed; each step at the mark's epoch only. */
export function describeCredentialDeletions(under: () => StoreUnderTest): void {
  describe('markCredentialDeleted', () => {
    it.each(['living', 'dead'])(
      'makes a %s credential unusable and due for nothing, and keeps its tokens',
      async how => {
        const { first } = under();
        const { id } = await insertCredential(first, newUser());
        if (how === 'dead') await first.markCredentialInvalid(id, 1, refused, noon);
        const known = await first.getCredential(id);
        const marked = await first.markCredentialDeleted(id, known?.epoch ?? 0, later(noon, 5));
        expect(marked).toEqual({
          ...known,
          authIsValid: false,
          verdict: { code: 'credential_deleted', httpStatus: null, since: later(noon, 5) },
          epoch: (known?.epoch ?? 0) + 1,
          refreshDueAt: null,
          updatedAt: later(noon, 5),
        });
        expect(await first.markCredentialDeleted(id, marked?.epoch ?? 0, noon)).toBeNull();
      },
    );

    race('of 50 at once and a death at the same moment, one wins', async () => {
      const { first, second } = under();
      const { id } = await insertCredential(first, newUser());
      const results = await Promise.all([
        ...Array.from({ length: 50 }, (_, n) => (n % 2 ? first : second).markCredentialDeleted(id, 1, noon)),
        second.markCredentialInvalid(id, 1, refused, noon),
      ]);
      expect(results.filter(result => result !== null)).toHaveLength(1);
      expect((await first.getCredential(id))?.epoch).toBe(2);
    });

    it('cannot be taken back by a passed test or a refresh, only by a new grant', async () => {
      const { first } = under();
      const marked = await markDeleted(first, await insertCredential(first, newUser(), 3));
      const { id, epoch, generation } = marked;
      expect(await first.markCredentialValid(id, epoch, noon)).toBeNull();
      expect(await first.compareAndSetTokens(id, generation, grantOf(9), noon)).toBeNull();
      expect(await first.markRefreshPosted(id, generation, 0, noon)).toBeNull();
      expect(await first.replaceGrant(id, epoch, grantOf(4), noon)).toMatchObject({ authIsValid: true, verdict: null });
    });
  });

  describe('wipeCredential and deleteCredential', () => {
    it.each(['wipeCredential', 'deleteCredential'] as const)('%s touches no living credential', async method => {
      const { first } = under();
      const living = await insertCredential(first, newUser());
      expect(await first[method](living.id, living.epoch)).toBe(false);
      expect(await first.getCredential(living.id)).toEqual(living);
    });

    it.each(['wipeCredential', 'deleteCredential'] as const)(
      '%s leaves what was connected again alone',
      async method => {
        const { first } = under();
        const marked = await markDeleted(first, await insertCredential(first, newUser(), 3));
        const again = await first.replaceGrant(marked.id, marked.epoch, grantOf(4), noon);
        expect(await first[method](marked.id, marked.epoch)).toBe(false);
        expect(await first.getCredential(marked.id)).toEqual(again);
      },
    );

    it('empties the tokens, as often as asked', async () => {
      const { first } = under();
      const marked = await markDeleted(first, await insertCredential(first, newUser()));
      for (let round = 0; round < 2; round += 1) expect(await first.wipeCredential(marked.id, marked.epoch)).toBe(true);
      expect(await first.getCredential(marked.id)).toEqual({
        ...marked,
        sealedTokens: '',
        refreshable: false,
        expiresAt: null,
      });
      expect((await first.findAnyCredential())?.id).not.toBe(marked.id);
    });

    it('removes the row once no entity points to it', async () => {
      const { first } = under();
      const userId = newUser();
      const marked = await markDeleted(first, await insertCredential(first, userId));
      await insertEntity(first, userId, marked.id);
      expect(await first.deleteCredential(marked.id, marked.epoch)).toBe(false);
      expect(await first.deleteUnusedEntities(marked.id, marked.grantSequence)).toBe(1);
      expect(await first.deleteCredential(marked.id, marked.epoch)).toBe(true);
      expect(await first.getCredential(marked.id)).toBeNull();
      expect(await first.deleteCredential(marked.id, marked.epoch)).toBe(false);
    });
  });

  describe('deleteUnusedEntities', () => {
    it('keeps what integrations use, what another credential has, and what a later grant pointed here', async () => {
      const { first } = under();
      const userId = newUser();
      const [mine, other] = [await insertCredential(first, userId), await insertCredential(first, userId)];
      const used = await insertEntity(first, userId, mine.id);
      await insertIntegration(first, userId, [used.id]);
      const unused = await insertEntity(first, userId, mine.id);
      const foreign = await insertEntity(first, userId, other.id);
      const { externalId, name } = await insertEntity(first, userId, mine.id);
      const write = { id: newId('entity'), userId, provider: attio, externalId, name, credentialId: mine.id };
      const later2 = await first.upsertEntity({ ...write, grantSequence: 2 }, noon);
      expect(await first.deleteUnusedEntities(mine.id, 1)).toBe(1);
      expect(await first.getEntity(unused.id)).toBeNull();
      for (const { id } of [used, foreign, later2]) expect(await first.getEntity(id)).not.toBeNull();
    });
  });

  describe('a reference that is written at the same time as its target is removed', () => {
    race('is refused, or keeps the entity of the integration', async () => {
      const { first, second } = under();
      for (let round = 0; round < 10; round += 1) {
        const userId = newUser();
        const entity = await insertEntity(first, userId);
        const [made, removed] = await Promise.allSettled([
          insertIntegration(first, userId, [entity.id]),
          orLater(second.deleteUnusedEntities(entity.credentialId, entity.grantSequence), 0),
        ]);
        const isThere = (await first.getEntity(entity.id)) !== null;
        expect(removed).toEqual({ status: 'fulfilled', value: isThere ? 0 : 1 });
        const { rows } = await first.listIntegrations(userId, {}, { limit: 9, after: null });
        expect(rows).toHaveLength(made.status === 'fulfilled' ? 1 : 0);
        if (rows.length > 0) expect(isThere).toBe(true);
      }
    });

    race('is refused, or keeps the credential of the entity', async () => {
      const { first, second } = under();
      for (let round = 0; round < 10; round += 1) {
        const userId = newUser();
        const { id, epoch } = await markDeleted(first, await insertCredential(first, userId));
        const [made, removed] = await Promise.allSettled([
          insertEntity(first, userId, id),
          orLater(second.deleteCredential(id, epoch), false),
        ]);
        const isThere = (await first.getCredential(id)) !== null;
        expect(removed).toEqual({ status: 'fulfilled', value: !isThere });
        const { rows } = await first.listEntities(userId, { limit: 9, after: null });
        expect(rows).toHaveLength(made.status === 'fulfilled' ? 1 : 0);
        if (rows.length > 0) expect(isThere).toBe(true);
      }
    });
  });

  describe('listUnfinishedDeletions', () => {
    it('lists what is marked and still holds tokens, oldest first, and nothing else', async () => {
      const { first } = under();
      const insert = () => insertCredential(first, newUser());
      const [older, newer, wiped] = [await insert(), await insert(), await insert()];
      await insert();
      await first.markCredentialDeleted(newer.id, 1, later(noon, 20));
      await first.markCredentialDeleted(older.id, 1, later(noon, 10));
      await first.markCredentialDeleted(wiped.id, 1, later(noon, 10));
      await first.wipeCredential(wiped.id, 2);
      const ids = async (before: Date) =>
        (await first.listUnfinishedDeletions(before, 1000))
          .map(({ id }) => id)
          .filter(id => [older.id, newer.id, wiped.id].includes(id));
      expect(await ids(later(noon, 100))).toEqual([older.id, newer.id]);
      expect(await ids(later(noon, 20))).toEqual([older.id]);
      expect(await first.listUnfinishedDeletions(later(noon, 100), 1)).toHaveLength(1);
    });
  });

  describe('touchDeletion', () => {
    it('sends a deletion to the end of the list, at its own epoch and of no other credential', async () => {
      const { first } = under();
      const [one, two] = [await insertCredential(first, newUser()), await insertCredential(first, newUser())];
      await first.markCredentialDeleted(one.id, 1, later(noon, 10));
      await first.markCredentialDeleted(two.id, 1, later(noon, 20));
      const list = async () =>
        (await first.listUnfinishedDeletions(later(noon, 100), 1000)).map(({ id }) => id).filter(id => ids.has(id));
      const ids = new Set([one.id, two.id]);
      await first.touchDeletion(one.id, 1, later(noon, 30));
      expect(await list()).toEqual([one.id, two.id]);
      await first.touchDeletion(one.id, 2, later(noon, 30));
      expect(await list()).toEqual([two.id, one.id]);

      const living = await insertCredential(first, newUser());
      await first.touchDeletion(living.id, 1, later(noon, 30));
      expect(await first.getCredential(living.id)).toEqual(living);
    });
  });

  describe('keepTokensOfDeleted', () => {
    it('changes the tokens and nothing else', async () => {
      const { first } = under();
      const marked = await markDeleted(first, await insertCredential(first, newUser()));
      expect(await first.keepTokensOfDeleted(marked.id, marked.generation, 'newer')).toBe(true);
      expect(await first.getCredential(marked.id)).toEqual({ ...marked, sealedTokens: 'newer' });
    });

    it('holds for what is deleted, at its generation, and not once its tokens are gone', async () => {
      const { first } = under();
      const living = await insertCredential(first, newUser());
      expect(await first.keepTokensOfDeleted(living.id, 1, 'newer')).toBe(false);
      const marked = await markDeleted(first, living);
      expect(await first.keepTokensOfDeleted(living.id, 2, 'newer')).toBe(false);
      await first.wipeCredential(living.id, marked.epoch);
      expect(await first.keepTokensOfDeleted(living.id, 1, 'newer')).toBe(false);
      expect((await first.getCredential(living.id))?.sealedTokens).toBe('');
    });
  });
}
