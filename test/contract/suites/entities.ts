import type { ExternalId } from '../../../src/domain/ids.js';
import { newId } from '../../../src/ids.js';
import type { EntityWrite } from '../../../src/store/port/store.js';
import {
  atOnce,
  attio,
  grantOf,
  insertCredential,
  insertEntity,
  later,
  newExternalId,
  newUser,
  noon,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

export function describeEntities(under: () => StoreUnderTest): void {
  async function writeOf(overrides: Partial<EntityWrite> = {}): Promise<EntityWrite> {
    const userId = newUser();
    return {
      id: newId('entity'),
      userId,
      provider: attio,
      externalId: newExternalId(),
      name: 'Acme',
      credentialId: (await insertCredential(under().first, userId)).id,
      grantSequence: 5,
      ...overrides,
    };
  }

  describe('upsertEntity', () => {
    it('creates the entity under the given id', async () => {
      const { first, second } = under();
      const write = await writeOf({ externalId: 'company/№ 1' as ExternalId, name: 'Żółć & 会社 🏢' });
      const entity = await first.upsertEntity(write, noon);
      expect(entity).toEqual({ ...write, createdAt: noon, updatedAt: noon });
      expect(await second.getEntity(write.id)).toEqual(entity);
    });

    it('takes a name that no database holds without what cannot be stored, and refuses such an id', async () => {
      const { first } = under();
      const write = await writeOf({ name: 'A\0cme \ud83c' });
      const entity = await first.upsertEntity(write, noon);
      expect(entity.name).toBe('Acme \ufffd');
      expect(await first.getEntity(write.id)).toEqual(entity);
      const other = { ...write, id: newId('entity'), externalId: 'company\0' as ExternalId };
      await expect(first.upsertEntity(other, noon)).rejects.toMatchObject({ code: 'invalid_request' });
      const key = { ...other, id: newId('credential') };
      await expect(first.insertCredential(key, grantOf(1), noon)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('repoints the existing one to the credential of a later grant, under its old id', async () => {
      const { first } = under();
      const write = await writeOf();
      const entity = await first.upsertEntity(write, noon);
      const credentialId = (await insertCredential(first, write.userId)).id;
      const again = { ...write, id: newId('entity'), credentialId, name: 'Acme Ltd', grantSequence: 6 };
      expect(await first.upsertEntity(again, later(noon, 1))).toEqual({
        ...entity,
        credentialId,
        name: 'Acme Ltd',
        grantSequence: 6,
        updatedAt: later(noon, 1),
      });
      expect(await first.getEntity(again.id)).toBeNull();
    });

    it.each([4, 5])('leaves the row as it is for grant %i when it has grant 5', async grantSequence => {
      const { first } = under();
      const write = await writeOf();
      const entity = await first.upsertEntity(write, noon);
      const credentialId = (await insertCredential(first, write.userId)).id;
      const late = { ...write, id: newId('entity'), credentialId, name: 'late', grantSequence };
      expect(await first.upsertEntity(late, later(noon, 1))).toEqual(entity);
    });

    it.each(['new', 'known'])('writes nothing for a %s account whose credential is gone', async which => {
      const { first } = under();
      const write = await writeOf({ credentialId: newId('credential') });
      const before = which === 'known' ? await insertEntity(first, write.userId) : null;
      const externalId = before?.externalId ?? write.externalId;
      const provider = before?.provider ?? write.provider;
      await expect(
        first.upsertEntity({ ...write, provider, externalId, grantSequence: 1_000 }, later(noon, 1)),
      ).rejects.toMatchObject({ code: 'not_found', detail: write.credentialId });
      const { rows } = await first.listEntities(write.userId, { limit: 10, after: null });
      expect(rows).toEqual(before === null ? [] : [before]);
    });

    race('makes one row of many at once, and the latest grant stands', async () => {
      const write = await writeOf();
      const credentials = await Promise.all(
        Array.from({ length: 50 }, () => insertCredential(under().first, write.userId)),
      );
      const written = await atOnce(under(), (store, index) => {
        const credentialId = credentials[index]!.id;
        return store.upsertEntity({ ...write, id: newId('entity'), credentialId, grantSequence: index + 1 }, noon);
      });
      expect(new Set(written.map(entity => entity.id)).size).toBe(1);
      for (const [index, entity] of written.entries()) expect(entity.grantSequence).toBeGreaterThan(index);
      const end = await under().first.getEntity(written[0]!.id);
      expect(end).toMatchObject({ grantSequence: 50, credentialId: credentials[49]!.id });
    });

    it('keeps the same account of two users apart', async () => {
      const { first } = under();
      const one = await writeOf();
      const other = await writeOf({ externalId: one.externalId });
      await first.upsertEntity(one, noon);
      expect((await first.upsertEntity(other, noon)).id).toBe(other.id);
      expect(await first.getEntity(one.id)).toMatchObject({ userId: one.userId, credentialId: one.credentialId });
    });
  });

  describe('a foreign user', () => {
    it('sees no entity', async () => {
      const { first } = under();
      const owner = newUser();
      const entity = await insertEntity(first, owner);
      expect(await first.getEntityForUser(entity.id, owner)).toEqual(entity);
      expect(await first.getEntityForUser(entity.id, newUser())).toBeNull();
      expect((await first.listEntities(newUser(), { limit: 100, after: null })).rows).toEqual([]);
      expect(await first.getEntity(newId('entity'))).toBeNull();
    });
  });
}
