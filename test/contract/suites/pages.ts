import type { IntegrationId } from '../../../src/domain/ids.js';
import type { Page, PageRequest } from '../../../src/store/port/store.js';
import { insertCredential, insertEntity, insertIntegration, newUser, type StoreUnderTest } from '../fixtures.js';

type Walk = (list: (page: PageRequest) => Promise<Page<{ readonly id: string }>>, limit: number) => Promise<string[]>;

const walk: Walk = async (list, limit) => {
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { rows, next } = await list({ limit, after });
    expect(rows.length).toBeLessThanOrEqual(limit);
    seen.push(...rows.map(row => row.id));
    if (next === null) return seen;
    expect(next).toBe(rows.at(-1)?.id);
    after = next;
  }
};

export function describePages(under: () => StoreUnderTest): void {
  describe('a list', () => {
    it('is walked page by page, each row once, in the order of creation', async () => {
      const { first } = under();
      const userId = newUser();
      const credential = await insertCredential(first, userId);
      const entities: string[] = [];
      for (let made = 0; made < 7; made += 1) entities.push((await insertEntity(first, userId, credential.id)).id);
      for (const limit of [1, 2, 3, 6, 7, 8, 100]) {
        expect(await walk(page => first.listEntities(userId, page), limit)).toEqual(entities);
      }
    });

    it('has no next page when the last one is exactly full, and none at all when it is empty', async () => {
      const { first } = under();
      const userId = newUser();
      expect(await first.listCredentials(userId, { limit: 1, after: null })).toEqual({ rows: [], next: null });
      const credential = await insertCredential(first, userId);
      expect(await first.listCredentials(userId, { limit: 1, after: null })).toEqual({
        rows: [credential],
        next: null,
      });
      expect(await first.listCredentials(userId, { limit: 1, after: credential.id })).toEqual({ rows: [], next: null });
    });

    it('shows every row that was there from the start once, while others are added and removed', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const made: string[] = [];
      for (let count = 0; count < 10; count += 1) made.push((await insertIntegration(first, userId, [entity.id])).id);
      const [removed] = made.splice(2, 1);
      const lists: ((page: PageRequest) => Promise<Page<{ readonly id: string }>>)[] = [
        page => first.listIntegrations(userId, {}, page),
        page => first.listIntegrations(userId, { entityId: entity.id }, page),
        page => first.findIntegrationsByEntityId(entity.id, page),
        page => first.findIntegrationsByCredentialId(entity.credentialId, page),
      ];
      for (const [round, list] of lists.entries()) {
        const seen = await walk(async page => {
          const found = await list(page);
          if (round < 3) await insertIntegration(second, userId, [entity.id]);
          if (page.after === null && round === 0) {
            const state = { lifecycle: 'deleting', intent: 'on', causes: [], epochs: {} } as const;
            await second.compareAndSetIntegration(found.rows[2]!.id as IntegrationId, 1, { state }, new Date());
            expect(await second.deleteIntegration(found.rows[2]!.id as IntegrationId)).toBe(true);
          }
          return round < 3 && seenAll(found, made) ? { ...found, next: null } : found;
        }, 4);
        expect(seen.filter(id => made.includes(id))).toEqual(made);
        expect(new Set(seen).size).toBe(seen.length);
      }
      expect(await walk(lists[0]!, 50)).not.toContain(removed);
    });

    it.each(['', 'no such id', '~~~~', "' OR 1=1 --"])('takes any cursor (%j) without failing', async after => {
      const { first } = under();
      const userId = newUser();
      await insertCredential(first, userId);
      const { rows } = await first.listCredentials(userId, { limit: 5, after });
      expect(rows.every(row => row.userId === userId)).toBe(true);
    });

    it('refuses a cursor that no text column can hold as bad input', async () => {
      const list = under().first.listCredentials(newUser(), { limit: 5, after: 'a\u0000b' });
      await expect(list).rejects.toMatchObject({ code: 'invalid_request' });
    });
  });
}

/** Rows are added as fast as they are read here, so the walk ends when the last of the first ones was seen. */
function seenAll(page: Page<{ readonly id: string }>, made: readonly string[]): boolean {
  return page.rows.some(row => row.id >= made.at(-1)!);
}
