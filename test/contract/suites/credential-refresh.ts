import type { ProviderId } from '../../../src/domain/ids.js';
import { newId } from '../../../src/ids.js';
import type { Credential, CredentialVerdict, Store, TokensWrite } from '../../../src/store/port/store.js';
import {
  atOnce,
  grantOf,
  later,
  minute,
  newExternalId,
  newUser,
  noon,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

const refused: CredentialVerdict = { code: 'refresh_refused', httpStatus: 400, since: noon };
const clientRejected: CredentialVerdict = { code: 'client_rejected', httpStatus: 401, since: noon };
const fresh: TokensWrite = {
  sealedTokens: 'sealed-fresh',
  refreshable: true,
  expiresAt: later(noon, 60 * minute),
  refreshDueAt: later(noon, 48 * minute),
};

/** A provider of the test's own, so that no other test's rows are in its lists. */
const newProvider = () => newExternalId() as string as ProviderId;

async function insertRefreshable(
  store: Store,
  { provider = newProvider(), ...grant }: Partial<Parameters<typeof grantOf>[1]> & { provider?: ProviderId } = {},
): Promise<Credential> {
  const key = { id: newId('credential'), userId: newUser(), provider, externalId: newExternalId() };
  const overrides = { refreshable: true, expiresAt: noon, refreshDueAt: noon, ...grant };
  const inserted = await store.insertCredential(key, grantOf(1, overrides), noon);
  if (inserted === null) throw new Error('the credential exists already');
  return inserted;
}

export function describeCredentialRefresh(under: () => StoreUnderTest): void {
  describe('compareAndSetTokens', () => {
    it('writes the tokens as the next generation and begins its counters from the start', async () => {
      const { first, second } = under();
      const known = await insertRefreshable(first, { grantEndsAt: later(noon, 90 * minute), grantWarnAt: noon });
      await first.markRefreshPosted(known.id, 1, 0, noon);
      await first.raiseRefreshTry(known.id, 1, 0, noon);
      const written = await second.compareAndSetTokens(known.id, 1, fresh, later(noon, 5));
      expect(written).toEqual({ ...known, ...fresh, generation: 2, epoch: 2, updatedAt: later(noon, 5) });
      expect(await first.getCredential(known.id)).toEqual(written);
    });

    it('refuses an older and a newer generation, and a dead credential', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      for (const generation of [0, 2]) expect(await first.compareAndSetTokens(id, generation, fresh, noon)).toBeNull();
      const dead = await first.markCredentialInvalid(id, 1, refused, noon);
      expect(await first.compareAndSetTokens(id, 1, fresh, noon)).toBeNull();
      expect(await first.getCredential(id)).toEqual(dead);
    });

    it('takes back the verdict that only this product was rejected', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      await first.markCredentialInvalid(id, 1, clientRejected, noon);
      expect(await first.compareAndSetTokens(id, 1, fresh, noon)).toMatchObject({
        authIsValid: true,
        verdict: null,
        generation: 2,
        epoch: 3,
      });
    });

    it('takes back a death that only said that the answer was lost: this is the answer', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      const outcomeUnknown: CredentialVerdict = { code: 'refresh_outcome_unknown', httpStatus: 400, since: noon };
      await first.markCredentialInvalid(id, 1, outcomeUnknown, noon);
      expect(await first.markRefreshPosted(id, 1, 0, noon)).toBeNull();
      expect(await first.compareAndSetTokens(id, 0, fresh, noon)).toBeNull();
      expect(await first.compareAndSetTokens(id, 1, fresh, noon)).toMatchObject({
        ...fresh,
        ...{ authIsValid: true, verdict: null, generation: 2, epoch: 3 },
      });
    });

    it('does not take back a death that came over that verdict', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      await first.markCredentialInvalid(id, 1, clientRejected, noon);
      const dead = await first.markCredentialInvalid(id, 2, refused, noon);
      expect(await first.compareAndSetTokens(id, 1, fresh, noon)).toBeNull();
      expect(await first.markRefreshPosted(id, 1, 0, noon)).toBeNull();
      expect(await first.getCredential(id)).toEqual(dead);
    });

    race('has one winner among many at once', async () => {
      const { id } = await insertRefreshable(under().first);
      const written = await atOnce(under(), (store, index) =>
        store.compareAndSetTokens(id, 1, { ...fresh, sealedTokens: `sealed-${index}` }, noon),
      );
      const winners = written.filter(credential => credential !== null);
      expect(winners).toHaveLength(1);
      expect(await under().first.getCredential(id)).toEqual(winners[0]);
    });

    race('against a reconnect leaves the later grant and one generation for each write', async () => {
      const { id } = await insertRefreshable(under().first);
      const written = await atOnce(under(), (store, index) =>
        index === 7
          ? store.replaceGrant(id, 1, grantOf(2, { sealedTokens: 'reconnected' }), noon)
          : store.compareAndSetTokens(id, 1, fresh, noon),
      );
      expect(written.filter(credential => credential !== null)).toHaveLength(1);
      expect(await under().first.getCredential(id)).toMatchObject({ generation: 2, epoch: 2 });
    });
  });

  describe('the mark of a refresh', () => {
    race('is set by one of many at once', async () => {
      const { id } = await insertRefreshable(under().first);
      const marked = await atOnce(under(), store => store.markRefreshPosted(id, 1, 0, later(noon, 7)));
      expect(marked.filter(credential => credential !== null)).toHaveLength(1);
      expect(await under().second.getCredential(id)).toMatchObject({
        refreshPosts: 1,
        refreshPostedAt: later(noon, 7),
        generation: 1,
        epoch: 1,
      });
    });

    race('is cleared once, and only as the mark it is', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      await first.markRefreshPosted(id, 1, 0, noon);
      expect(await first.clearRefreshPosted(id, 1, 0)).toBe(false);
      expect(await first.clearRefreshPosted(id, 2, 1)).toBe(false);
      const cleared = await atOnce(under(), store => store.clearRefreshPosted(id, 1, 1));
      expect(cleared.filter(Boolean)).toHaveLength(1);
      expect(await first.getCredential(id)).toMatchObject({ refreshPosts: 1, refreshPostedAt: null });
    });

    it('can be set over an open one by whoever knows it', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      await first.markRefreshPosted(id, 1, 0, noon);
      expect(await first.markRefreshPosted(id, 1, 0, later(noon, 1))).toBeNull();
      expect(await first.markRefreshPosted(id, 1, 1, later(noon, 1))).toMatchObject({ refreshPosts: 2 });
    });

    it('is refused for another generation, a dead credential and one that is gone', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      expect(await first.markRefreshPosted(id, 2, 0, noon)).toBeNull();
      await first.markCredentialInvalid(id, 1, refused, noon);
      expect(await first.markRefreshPosted(id, 1, 0, noon)).toBeNull();
      expect(await first.markRefreshPosted(newId('credential'), 1, 0, noon)).toBeNull();
    });

    it('goes with a reconnect', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      await first.markRefreshPosted(id, 1, 0, noon);
      await first.raiseRefreshTry(id, 1, 0, noon);
      expect(await first.replaceGrant(id, 1, grantOf(2), noon)).toMatchObject({
        refreshTry: 0,
        refreshPosts: 0,
        refreshPostedAt: null,
      });
    });
  });

  describe('raiseRefreshTry', () => {
    race('is done by one of many at once', async () => {
      const { id } = await insertRefreshable(under().first);
      const raised = await atOnce(under(), store => store.raiseRefreshTry(id, 1, 0, later(noon, minute)));
      expect(raised.filter(Boolean)).toHaveLength(1);
      expect(await under().first.getCredential(id)).toMatchObject({
        refreshTry: 1,
        refreshDueAt: later(noon, minute),
        generation: 1,
        epoch: 1,
      });
    });

    it('is refused for another try and another generation', async () => {
      const { first } = under();
      const { id } = await insertRefreshable(first);
      expect(await first.raiseRefreshTry(id, 1, 1, noon)).toBe(false);
      expect(await first.raiseRefreshTry(id, 2, 0, noon)).toBe(false);
    });
  });

  describe('what falls due', () => {
    it('is listed by provider, the longest overdue first, up to a limit', async () => {
      const { first, second } = under();
      const provider = newProvider();
      const due = [3, 1, 2].map(minutes => ({ provider, refreshDueAt: later(noon, -minutes * minute) }));
      const rows = [];
      for (const grant of due) rows.push(await insertRefreshable(first, grant));
      await insertRefreshable(first, { provider, refreshDueAt: later(noon, 1) });
      await insertRefreshable(first, { provider, refreshDueAt: null });
      await insertRefreshable(first, { refreshDueAt: later(noon, -minute) });
      const listed = await second.listDueRefreshes(provider, noon, 100);
      expect(listed.map(({ id }) => id)).toEqual([rows[0], rows[2], rows[1]].map(row => row?.id));
      expect(await second.listDueRefreshes(provider, noon, 2)).toEqual(listed.slice(0, 2));
    });

    it('leaves out the dead, but for those whose client was rejected', async () => {
      const { first } = under();
      const provider = newProvider();
      const dead = await insertRefreshable(first, { provider });
      await first.markCredentialInvalid(dead.id, 1, refused, noon);
      const rejected = await insertRefreshable(first, { provider });
      await first.markCredentialInvalid(rejected.id, 1, clientRejected, noon);
      const listed = await first.listDueRefreshes(provider, noon, 100);
      expect(listed.map(({ id }) => id)).toEqual([rejected.id]);
      expect(await first.getCredential(dead.id)).toMatchObject({ refreshDueAt: null });
    });

    it('is postponed for its generation', async () => {
      const { first } = under();
      const provider = newProvider();
      const { id } = await insertRefreshable(first, { provider });
      expect(await first.postponeRefresh(id, 2, later(noon, minute))).toBe(false);
      expect(await first.postponeRefresh(id, 1, later(noon, minute))).toBe(true);
      expect(await first.listDueRefreshes(provider, noon, 100)).toEqual([]);
      expect(await first.listDueRefreshes(provider, later(noon, minute), 100)).toHaveLength(1);
    });
  });

  describe('a grant that ends', () => {
    race('is listed when its warning is due, until one caller notes it', async () => {
      const { first } = under();
      // Far back, so that the rows of no other test come first.
      const warnAt = new Date(Date.UTC(1990, 0, 1) + Math.floor(Math.random() * 1e9));
      const { id } = await insertRefreshable(first, { grantEndsAt: noon, grantWarnAt: warnAt });
      const listed = await first.listEndingGrants(warnAt, 100);
      expect(listed.map(row => row.id)).toContain(id);
      expect((await first.listEndingGrants(later(warnAt, -1), 100)).map(row => row.id)).not.toContain(id);
      const noted = await atOnce(under(), store => store.noteGrantWarned(id, warnAt));
      expect(noted.filter(Boolean)).toHaveLength(1);
      expect((await first.listEndingGrants(warnAt, 100)).map(row => row.id)).not.toContain(id);
    });
  });
}
