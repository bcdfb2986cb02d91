import type { ExternalId, ProviderId } from '../../../src/domain/ids.js';
import { newId } from '../../../src/ids.js';
import type { CredentialVerdict } from '../../../src/store/port/store.js';
import {
  atOnce,
  attio,
  grantOf,
  insertCredential,
  later,
  newExternalId,
  newUser,
  noon,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

const refused: CredentialVerdict = { code: 'credential_refused', httpStatus: 401, since: noon };

export function describeCredentials(under: () => StoreUnderTest): void {
  describe('insertCredential', () => {
    it('stores the first grant as generation 1, valid', async () => {
      const { first, second } = under();
      const key = { id: newId('credential'), userId: newUser(), provider: attio, externalId: 'Ä-🔑' as ExternalId };
      const grant = grantOf(7, {
        sealedTokens: 't'.repeat(8192),
        refreshable: true,
        expiresAt: later(noon, 3_600_123),
      });
      const credential = await first.insertCredential(key, grant, noon);
      expect(credential).toEqual({
        ...key,
        ...grant,
        authIsValid: true,
        verdict: null,
        generation: 1,
        epoch: 1,
        lastTest: null,
        refreshTry: 0,
        refreshPosts: 0,
        refreshPostedAt: null,
        createdAt: noon,
        updatedAt: noon,
      });
      expect(await second.getCredential(key.id)).toEqual(credential);
      expect(await second.findCredentialByExternalId(key.userId, attio, key.externalId)).toEqual(credential);
    });

    it('answers null when the key exists, and leaves the row', async () => {
      const { first } = under();
      const known = await insertCredential(first, newUser(), 3);
      const { userId, provider, externalId } = known;
      const key = { id: newId('credential'), userId, provider, externalId };
      expect(await first.insertCredential(key, grantOf(9), noon)).toBeNull();
      expect(await first.getCredential(known.id)).toEqual(known);
      expect(await first.getCredential(key.id)).toBeNull();
    });

    race('has one winner among many at once', async () => {
      const key = { userId: newUser(), provider: attio, externalId: newExternalId() };
      const inserted = await atOnce(under(), (store, index) =>
        store.insertCredential({ id: newId('credential'), ...key }, grantOf(index + 1), noon),
      );
      const winners = inserted.filter(credential => credential !== null);
      expect(winners).toHaveLength(1);
      expect(await under().first.findCredentialByExternalId(key.userId, key.provider, key.externalId)).toEqual(
        winners[0],
      );
    });

    it('keeps ids apart that are the same number, or the same but for case, space or form', async () => {
      const { first, second } = under();
      const userId = newUser();
      const ids = ['42', '042', '42.0', '4.2e1', ' 42', 'id', 'ID', 'é', 'e\u0301', 'null', 'true'] as ExternalId[];
      for (const externalId of ids) {
        const key = { id: newId('credential'), userId, provider: attio, externalId };
        expect(await first.insertCredential(key, grantOf(1), noon)).not.toBeNull();
      }
      for (const externalId of ids) {
        expect((await second.findCredentialByExternalId(userId, attio, externalId))?.externalId).toBe(externalId);
      }
    });

    it('keeps the same account of two users apart', async () => {
      const { first } = under();
      const [one, other] = [newUser(), newUser()];
      const externalId = newExternalId();
      for (const userId of [one, other]) {
        const key = { id: newId('credential'), userId, provider: attio, externalId };
        expect(await first.insertCredential(key, grantOf(1), noon)).not.toBeNull();
      }
      const found = await first.findCredentialByExternalId(one, attio, externalId);
      expect(found?.userId).toBe(one);
    });
  });

  describe('findAnyCredential', () => {
    it('finds the one made last, whosever it is', async () => {
      const { first, second } = under();
      await insertCredential(first, newUser(), 1);
      const newest = await insertCredential(first, newUser(), 1);
      expect(await first.findAnyCredential()).toEqual(newest);
      expect(await second.findAnyCredential()).toEqual(newest);
    });
  });

  describe('a foreign user', () => {
    it('sees no credential', async () => {
      const { first } = under();
      const owner = newUser();
      const credential = await insertCredential(first, owner);
      expect(await first.getCredentialForUser(credential.id, owner)).toEqual(credential);
      const foreigner = newUser();
      expect(await first.getCredentialForUser(credential.id, foreigner)).toBeNull();
      expect(await first.findCredentialByExternalId(foreigner, attio, credential.externalId)).toBeNull();
      expect((await first.listCredentials(foreigner, { limit: 100, after: null })).rows).toEqual([]);
    });
  });

  describe('replaceGrant', () => {
    it('writes a later grant over an earlier one and takes the verdict back', async () => {
      const { first } = under();
      const { id } = await insertCredential(first, newUser(), 3);
      const dead = await first.markCredentialInvalid(id, 1, refused, noon);
      const grant = grantOf(4, { refreshable: true, expiresAt: later(noon, 1000) });
      expect(await first.replaceGrant(id, 2, grant, later(noon, 5))).toEqual({
        ...dead,
        ...grant,
        authIsValid: true,
        verdict: null,
        generation: 2,
        epoch: 3,
        updatedAt: later(noon, 5),
      });
    });

    it.each([
      ['an older grant', 1, 2],
      ['the same grant again', 1, 3],
      ['a grant merged with an older epoch', 0, 9],
      ['a grant merged with a newer epoch', 2, 9],
    ])('refuses %s', async (_name, epoch, grantSequence) => {
      const { first } = under();
      const known = await insertCredential(first, newUser(), 3);
      expect(await first.replaceGrant(known.id, epoch, grantOf(grantSequence), noon)).toBeNull();
      expect(await first.getCredential(known.id)).toEqual(known);
    });

    race('has one winner at one epoch among many at once', async () => {
      const { id } = await insertCredential(under().first, newUser());
      const replaced = await atOnce(under(), (store, index) => store.replaceGrant(id, 1, grantOf(index + 2), noon));
      const winners = replaced.filter(credential => credential !== null);
      expect(winners).toHaveLength(1);
      expect(winners[0]).toMatchObject({ generation: 2, epoch: 2 });
      expect(await under().first.getCredential(id)).toEqual(winners[0]);
    });

    race('lets the latest grant stand when every writer reads again after losing', async () => {
      const { id } = await insertCredential(under().first, newUser());
      await atOnce(under(), async (store, index) => {
        for (;;) {
          const current = await store.getCredential(id);
          if (current === null) throw new Error('the credential is gone');
          if (current.grantSequence >= index + 2) return;
          if ((await store.replaceGrant(id, current.epoch, grantOf(index + 2), noon)) !== null) return;
        }
      });
      const end = await under().first.getCredential(id);
      expect(end).toMatchObject({ grantSequence: 51, sealedTokens: 'sealed-51' });
      expect(end?.generation).toBe(end?.epoch);
    });
  });

  describe('the verdict', () => {
    it('is passed at the epoch that was tested, and once', async () => {
      const { first, second } = under();
      const known = await insertCredential(first, newUser());
      expect(await first.markCredentialInvalid(known.id, 2, refused, noon)).toBeNull();
      const dead = await first.markCredentialInvalid(known.id, 1, refused, later(noon, 1));
      expect(dead).toEqual({ ...known, authIsValid: false, verdict: refused, epoch: 2, updatedAt: later(noon, 1) });
      expect(await second.markCredentialInvalid(known.id, 1, refused, noon)).toBeNull();
      expect(await second.markCredentialInvalid(known.id, 2, refused, noon)).toBeNull();
      expect(await second.getCredential(known.id)).toEqual(dead);
    });

    race('that only the client was rejected gives way to any other, once, and to itself never', async () => {
      const { first, second } = under();
      const provider = newExternalId() as string as ProviderId;
      const key = { id: newId('credential'), userId: newUser(), provider, externalId: newExternalId() };
      await first.insertCredential(key, grantOf(1, { refreshable: true, refreshDueAt: noon }), noon);
      const rejected: CredentialVerdict = { code: 'client_rejected', httpStatus: 401, since: noon };
      const held = await first.markCredentialInvalid(key.id, 1, rejected, noon);
      expect(held).toMatchObject({ verdict: rejected, epoch: 2, refreshDueAt: noon });
      expect(await second.markCredentialInvalid(key.id, 2, rejected, later(noon, 1))).toBeNull();
      expect(await second.markCredentialInvalid(key.id, 1, refused, later(noon, 1))).toBeNull();
      const marked = await atOnce(under(), store => store.markCredentialInvalid(key.id, 2, refused, later(noon, 1)));
      expect(marked.filter(credential => credential !== null)).toHaveLength(1);
      const dead = { ...held, verdict: refused, epoch: 3, refreshDueAt: null, updatedAt: later(noon, 1) };
      expect(await first.getCredential(key.id)).toEqual(dead);
      expect(await first.markCredentialInvalid(key.id, 3, rejected, noon)).toBeNull();
      expect(await first.listDueRefreshes(provider, later(noon, 1), 10)).toEqual([]);
    });

    it('may have no HTTP status', async () => {
      const { first } = under();
      const { id } = await insertCredential(first, newUser());
      const verdict = { code: 'refresh_outcome_unknown', httpStatus: null, since: noon } as const;
      expect((await first.markCredentialInvalid(id, 1, verdict, noon))?.verdict).toEqual(verdict);
    });

    it('is taken back at its epoch, and once', async () => {
      const { first } = under();
      const known = await insertCredential(first, newUser());
      expect(await first.markCredentialValid(known.id, 1, noon)).toBeNull();
      await first.markCredentialInvalid(known.id, 1, refused, noon);
      expect(await first.markCredentialValid(known.id, 1, noon)).toBeNull();
      const alive = await first.markCredentialValid(known.id, 2, later(noon, 2));
      expect(alive).toEqual({ ...known, epoch: 3, updatedAt: later(noon, 2) });
      expect(await first.markCredentialValid(known.id, 3, noon)).toBeNull();
    });

    race('has one writer among many at once', async () => {
      const { id } = await insertCredential(under().first, newUser());
      const marked = await atOnce(under(), store => store.markCredentialInvalid(id, 1, refused, noon));
      expect(marked.filter(credential => credential !== null)).toHaveLength(1);
      const back = await atOnce(under(), store => store.markCredentialValid(id, 2, noon));
      expect(back.filter(credential => credential !== null)).toHaveLength(1);
      expect(await under().first.getCredential(id)).toMatchObject({ epoch: 3, generation: 1 });
    });

    race('and a new grant at once: one of them wins at that epoch', async () => {
      const { first, second } = under();
      for (let round = 0; round < 20; round += 1) {
        const { id } = await insertCredential(first, newUser());
        const [dead, replaced] = await Promise.all([
          first.markCredentialInvalid(id, 1, refused, noon),
          second.replaceGrant(id, 1, grantOf(2), noon),
        ]);
        expect([dead === null, replaced === null].sort()).toEqual([false, true]);
      }
    });
  });

  describe('recordCredentialTest', () => {
    it('notes the outcome and touches no counter', async () => {
      const { first } = under();
      const known = await insertCredential(first, newUser());
      const lastTest = { outcome: 'needs_refresh', generation: 1, at: later(noon, 7) } as const;
      await first.recordCredentialTest(known.id, lastTest);
      expect(await first.getCredential(known.id)).toEqual({ ...known, lastTest });
    });

    it('ignores a test of other tokens than the stored ones', async () => {
      const { first } = under();
      const known = await insertCredential(first, newUser());
      for (const generation of [0, 2]) {
        await first.recordCredentialTest(known.id, { outcome: 'ok', generation, at: noon });
      }
      expect(await first.getCredential(known.id)).toEqual(known);
    });
  });
}
