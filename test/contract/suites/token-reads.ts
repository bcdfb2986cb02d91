import { newId } from '../../../src/ids.js';
import { later, newUser, noon, type StoreUnderTest } from '../fixtures.js';

/** The record of handed out tokens. */
export function describeTokenReads(under: () => StoreUnderTest): void {
  describe('token reads', () => {
    const readOf = (credentialId = newId('credential'), readAt = noon) => ({
      id: newId('tokenRead'),
      credentialId,
      userId: newUser(),
      apiKey: 'billing',
      generation: 3,
      requestId: 'request-1',
      readAt,
    });

    it('are listed by credential, in their order, page by page', async () => {
      const { first, second } = under();
      const credentialId = newId('credential');
      const reads = [readOf(credentialId), readOf(credentialId), readOf(credentialId)];
      for (const read of [...reads, readOf()]) await first.insertTokenRead(read);
      const page = await second.listTokenReads(credentialId, { limit: 2, after: null });
      expect(page).toEqual({ rows: reads.slice(0, 2), next: reads[1]?.id });
      const rest = await second.listTokenReads(credentialId, { limit: 2, after: page.next });
      expect(rest).toEqual({ rows: reads.slice(2), next: null });
    });

    it('go when they are old, a bounded number at a time', async () => {
      const { first } = under();
      const credentialId = newId('credential');
      const old = new Date('2001-01-01T00:00:00.000Z');
      for (const at of [old, later(old, 1), later(old, 2), noon]) await first.insertTokenRead(readOf(credentialId, at));
      expect(await first.deleteTokenReads(later(old, 2), 1)).toBe(1);
      expect(await first.deleteTokenReads(later(old, 2), 10)).toBe(1);
      expect(await first.deleteTokenReads(later(old, 2), 10)).toBe(0);
      expect((await first.listTokenReads(credentialId, { limit: 10, after: null })).rows).toHaveLength(2);
    });
  });
}
