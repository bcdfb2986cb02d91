import type { IntegrationType } from '../../../src/domain/ids.js';
import { addCause, restore, setIntent, setLifecycle } from '../../../src/domain/integration-state.js';
import { newId } from '../../../src/ids.js';
import type { IntegrationStatus } from '../../../src/domain/status.js';
import {
  atOnce,
  causeOf,
  deadBecauseOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  later,
  newUser,
  noon,
  ready,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

const all = { limit: 100, after: null };
const forward = 'forward' as IntegrationType;

export function describeIntegrations(under: () => StoreUnderTest): void {
  describe('insertIntegration', () => {
    it('stores the integration and its links, the entities sorted', async () => {
      const { first, second } = under();
      const userId = newUser();
      const [low, high] = [await insertEntity(first, userId), await insertEntity(first, userId)];
      const config = {
        url: 'https://example.com/ü',
        nested: { list: [1, null, 'x'], $type: 'Json', set: {} },
        'a.b': true,
      };
      const id = newId('integration');
      const { integration, created } = await first.insertIntegration(
        { id, userId, type: forward, entityIds: [high.id, low.id], config, state: ready },
        noon,
      );
      expect(created).toBe(true);
      expect(integration).toEqual({
        id,
        userId,
        type: forward,
        entityIds: [low.id, high.id],
        config,
        state: ready,
        status: 'ENABLED',
        statusSince: noon,
        resumeSince: null,
        version: 1,
        createdAt: noon,
        updatedAt: noon,
      });
      expect(await second.getIntegration(id)).toEqual(integration);
      for (const entity of [low, high]) {
        expect((await second.findIntegrationsByEntityId(entity.id, all)).rows).toEqual([integration]);
      }
    });

    it('returns the existing one for the same user, type and set of entities, whatever their order', async () => {
      const { first } = under();
      const userId = newUser();
      const [one, two] = [await insertEntity(first, userId), await insertEntity(first, userId)];
      const known = await insertIntegration(first, userId, [one.id, two.id], { type: forward, config: { kept: true } });
      const again = { id: newId('integration'), userId, type: forward, config: { kept: false }, state: ready };
      for (const entityIds of [
        [one.id, two.id],
        [two.id, one.id],
        [two.id, one.id, two.id],
      ]) {
        expect(await first.insertIntegration({ ...again, entityIds }, later(noon, 1))).toEqual({
          integration: known,
          created: false,
        });
      }
      expect(await first.getIntegration(again.id)).toBeNull();
    });

    it('creates another one for another type, a subset of entities, or another user', async () => {
      const { first } = under();
      const userId = newUser();
      const [one, two] = [await insertEntity(first, userId), await insertEntity(first, userId)];
      await insertIntegration(first, userId, [one.id, two.id], { type: forward });
      await insertIntegration(first, userId, [one.id, two.id], { type: 'other' });
      await insertIntegration(first, userId, [one.id], { type: forward });
      await insertIntegration(first, newUser(), [one.id, two.id], { type: forward });
      expect((await first.findIntegrationsByEntityId(one.id, all)).rows).toHaveLength(4);
    });

    race('makes one of many at once', async () => {
      const { first } = under();
      const userId = newUser();
      const entityIds = [(await insertEntity(first, userId)).id, (await insertEntity(first, userId)).id];
      const made = await atOnce(under(), store =>
        store.insertIntegration(
          { id: newId('integration'), userId, type: forward, entityIds, config: {}, state: ready },
          noon,
        ),
      );
      expect(made.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(made.map(({ integration }) => integration.id)).size).toBe(1);
      expect((await first.listIntegrations(userId, {}, all)).rows).toHaveLength(1);
    });

    it('stores nothing when an entity does not exist', async () => {
      const { first } = under();
      const userId = newUser();
      const entityIds = [(await insertEntity(first, userId)).id, newId('entity')];
      const id = newId('integration');
      await expect(
        first.insertIntegration({ id, userId, type: forward, entityIds, config: {}, state: ready }, noon),
      ).rejects.toMatchObject({ code: 'entity_not_usable' });
      expect(await first.getIntegration(id)).toBeNull();
    });

    it.each<[string, Readonly<Record<string, unknown>>]>([
      ['a NUL', { deep: [{ text: 'x\0y' }] }],
      ['a NUL in a key', { 'x\0y': 1 }],
      ['half a surrogate', { text: 'x\ud800' }],
      ['half a surrogate in a key', { deep: { '\udc00': null } }],
    ])('refuses a config with %s, which no JSON of PostgreSQL holds', async (_name, config) => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const known = await insertIntegration(first, userId, [entity.id]);
      const refused = { code: 'invalid_request' };
      await expect(insertIntegration(first, userId, [entity.id], { config })).rejects.toMatchObject(refused);
      const change = { state: ready, config };
      await expect(first.compareAndSetIntegration(known.id, 1, change, noon)).rejects.toMatchObject(refused);
      expect((await first.listIntegrations(userId, {}, all)).rows).toEqual([known]);
      const whole = { emoji: '🏢\u2028', zero: '\\u0000' };
      expect(await insertIntegration(first, userId, [entity.id], { config: whole })).toMatchObject({ config: whole });
    });

    it('refuses a set without entities', async () => {
      const { first } = under();
      const empty = {
        id: newId('integration'),
        userId: newUser(),
        type: forward,
        entityIds: [],
        config: {},
        state: ready,
      };
      await expect(first.insertIntegration(empty, noon)).rejects.toMatchObject({ code: 'entity_not_usable' });
    });
  });

  describe('compareAndSetIntegration', () => {
    it('writes state, status and config at the version that was read, and once', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const known = await insertIntegration(first, userId, [entity.id], { config: { old: true } });
      const state = addCause(known.state, causeOf(entity.credentialId));
      const after = await first.compareAndSetIntegration(
        known.id,
        1,
        { state, config: { set: 'new' } },
        later(noon, 5),
      );
      expect(after).toEqual({
        ...known,
        state,
        config: { set: 'new' },
        status: 'ERROR',
        statusSince: later(noon, 5),
        version: 2,
        updatedAt: later(noon, 5),
      });
      expect(await second.compareAndSetIntegration(known.id, 1, { state: ready }, noon)).toBeNull();
      expect(await second.compareAndSetIntegration(known.id, 3, { state: ready }, noon)).toBeNull();
      expect(await second.compareAndSetIntegration(newId('integration'), 1, { state: ready }, noon)).toBeNull();
      expect(await second.getIntegration(known.id)).toEqual(after);
    });

    it('keeps the config when none is given, and statusSince when the status stays', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const known = await insertIntegration(first, userId, [entity.id], { config: { kept: 1 } });
      const state = { ...ready, epochs: { [entity.credentialId]: 4 } };
      expect(await first.compareAndSetIntegration(known.id, 1, { state }, later(noon, 5))).toEqual({
        ...known,
        state,
        version: 2,
        updatedAt: later(noon, 5),
      });
    });

    race('has one winner at one version among many at once, with the same or another status', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const known = await insertIntegration(first, userId, [entity.id]);
      const dead = deadBecauseOf(entity.credentialId);
      const written = await atOnce(under(), (store, index) =>
        store.compareAndSetIntegration(known.id, 1, { state: index % 3 === 0 ? dead : ready }, noon),
      );
      const winners = written.filter(integration => integration !== null);
      expect(winners).toHaveLength(1);
      expect(winners[0]?.version).toBe(2);
      expect(await first.getIntegration(known.id)).toEqual(winners[0]);
    });

    it('gives every status the stored state computes to', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      let current = await insertIntegration(first, userId, [entity.id], { state: setLifecycle(ready, 'creating') });
      expect(current.status).toBe('IN_CREATION');
      const { credentialId } = entity;
      const revived = { credentialId, epoch: 3, currentCredentialIds: new Set([credentialId]), optIn: true };
      const steps: [IntegrationStatus, (state: typeof ready) => typeof ready][] = [
        ['NEEDS_CONFIG', state => setLifecycle(state, 'needs_config')],
        ['PROCESSING', state => setLifecycle(state, 'processing')],
        ['ENABLED', state => setLifecycle(state, 'ready')],
        ['ERROR', state => addCause(state, causeOf(credentialId, 2))],
        ['DISABLED', state => setIntent(state, 'paused')],
        ['ENABLED', state => restore(state, revived)],
        ['IN_DELETION', state => setLifecycle(state, 'deleting')],
      ];
      for (const [status, move] of steps) {
        const state = move(current.state);
        const next = await first.compareAndSetIntegration(current.id, current.version, { state }, noon);
        expect(next).toMatchObject({ status, state });
        current = next ?? current;
      }
    });
  });

  describe('what a credential reaches', () => {
    it('is every integration of every entity on it, each once', async () => {
      const { first } = under();
      const userId = newUser();
      const credential = await insertCredential(first, userId);
      const [one, two] = [
        await insertEntity(first, userId, credential.id),
        await insertEntity(first, userId, credential.id),
      ];
      const other = await insertEntity(first, userId);
      const made = [
        await insertIntegration(first, userId, [one.id]),
        await insertIntegration(first, userId, [two.id, other.id]),
        await insertIntegration(first, userId, [one.id, two.id]),
      ];
      await insertIntegration(first, userId, [other.id]);
      const { rows, next } = await first.findIntegrationsByCredentialId(credential.id, all);
      expect(rows.map(row => row.id)).toEqual(made.map(integration => integration.id));
      expect(next).toBeNull();
      // Full pages and the cursor count integrations, not links.
      const page = await first.findIntegrationsByCredentialId(credential.id, { limit: 2, after: null });
      expect(page.rows.map(row => row.id)).toEqual([made[0]?.id, made[1]?.id]);
      expect(page.next).toBe(made[1]?.id);
    });

    it('follows an entity that was repointed', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const integration = await insertIntegration(first, userId, [entity.id, (await insertEntity(first, userId)).id]);
      const credential = await insertCredential(first, userId);
      await first.upsertEntity({ ...entity, credentialId: credential.id, grantSequence: 2 }, noon);
      expect((await first.findIntegrationsByCredentialId(entity.credentialId, all)).rows).toEqual([]);
      expect((await first.findIntegrationsByCredentialId(credential.id, all)).rows).toEqual([integration]);
      const current = await first.getCurrentCredentialIds(integration.id);
      expect(current.size).toBe(2);
      expect(current.has(credential.id)).toBe(true);
      expect(current.has(entity.credentialId)).toBe(false);
      expect((await first.getCurrentCredentialIds(newId('integration'))).size).toBe(0);
    });

    it('is found by an open cause, whatever the entities point to', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const { credentialId } = entity;
      const elsewhere = await insertCredential(first, userId);
      const made = [
        await insertIntegration(first, userId, [entity.id], { state: deadBecauseOf(credentialId) }),
        await insertIntegration(first, userId, [entity.id], {
          state: { ...ready, causes: [causeOf(elsewhere.id), causeOf(credentialId)] },
        }),
        await insertIntegration(first, userId, [entity.id], {
          state: { ...deadBecauseOf(credentialId), intent: 'paused' },
        }),
      ];
      await insertIntegration(first, userId, [entity.id], { state: { ...ready, epochs: { [credentialId]: 2 } } });
      await first.upsertEntity({ ...entity, credentialId: elsewhere.id, grantSequence: 2 }, noon);
      expect((await first.findIntegrationsByCauseCredentialId(credentialId, all)).rows).toEqual(made);
      const page = await first.findIntegrationsByCauseCredentialId(credentialId, { limit: 2, after: null });
      expect(page.next).toBe(made[1]?.id);
      expect(await first.findIntegrationsByCauseCredentialId(credentialId, { limit: 2, after: page.next })).toEqual({
        rows: [made[2]],
        next: null,
      });
    });
  });

  describe('listIntegrations', () => {
    it('filters by status and by entity, and shows a user only its own', async () => {
      const { first } = under();
      const userId = newUser();
      const [one, two] = [await insertEntity(first, userId), await insertEntity(first, userId)];
      const working = await insertIntegration(first, userId, [one.id]);
      const dead = await insertIntegration(first, userId, [one.id, two.id], { state: deadBecauseOf(one.credentialId) });
      const foreign = await insertIntegration(first, newUser(), [one.id]);
      const list = async (filter: Parameters<typeof first.listIntegrations>[1]) =>
        (await first.listIntegrations(userId, filter, all)).rows.map(row => row.id);
      expect(await list({})).toEqual([working.id, dead.id]);
      expect(await list({ status: 'ERROR' })).toEqual([dead.id]);
      expect(await list({ entityId: one.id })).toEqual([working.id, dead.id]);
      expect(await list({ entityId: one.id, status: 'ENABLED' })).toEqual([working.id]);
      expect(await list({ entityId: two.id, status: 'ENABLED' })).toEqual([]);
      expect(await first.getIntegrationForUser(foreign.id, userId)).toBeNull();
      expect(await first.getIntegrationForUser(working.id, userId)).toEqual(working);
    });
  });

  describe('deleteIntegration', () => {
    race('removes only what is in deletion, with its links', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const known = await insertIntegration(first, userId, [entity.id], { type: forward });
      expect(await first.deleteIntegration(known.id)).toBe(false);
      await first.compareAndSetIntegration(known.id, 1, { state: setLifecycle(ready, 'deleting') }, noon);
      const deleted = await atOnce(under(), store => store.deleteIntegration(known.id));
      expect(deleted.filter(Boolean)).toHaveLength(1);
      expect(await first.getIntegration(known.id)).toBeNull();
      expect((await first.findIntegrationsByEntityId(entity.id, all)).rows).toEqual([]);
      await insertIntegration(first, userId, [entity.id], { type: forward });
    });
  });

  describe('the sweep', () => {
    it('lists what was left in creation or deletion, oldest first', async () => {
      const { first } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const start = new Date('2001-01-01T00:00:00.000Z');
      const ids: string[] = [];
      for (const [index, lifecycle] of (['creating', 'creating', 'ready', 'deleting'] as const).entries()) {
        const made = await insertIntegration(first, userId, [entity.id]);
        await first.compareAndSetIntegration(made.id, 1, { state: { ...ready, lifecycle } }, later(start, -index));
        ids.push(made.id);
      }
      const stale = async (lifecycle: 'creating' | 'deleting', before: Date, limit = 10) =>
        (await first.listStaleIntegrations(lifecycle, before, limit)).map(row => row.id);
      expect(await stale('creating', later(start, 1))).toEqual([ids[1], ids[0]]);
      expect(await stale('creating', later(start, 1), 1)).toEqual([ids[1]]);
      expect(await stale('creating', start)).toEqual([ids[1]]);
      expect(await stale('deleting', later(start, 1))).toEqual([ids[3]]);
    });
  });
}
