import type { ExternalId, ProviderId } from '../../../src/domain/ids.js';
import { newId } from '../../../src/ids.js';
import type { GrantWrite } from '../../../src/store/port/store.js';
import { deliveryOf, newIntegration } from '../delivery-fixtures.js';
import {
  attio,
  grantOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  later,
  minute,
  newExternalId,
  newUser,
  noon,
  sessionIn,
  type StoreUnderTest,
} from '../fixtures.js';

/** Fields that may be null, of records that a version which did not know them may have written. */
const credentialFields = ['expiresAt', 'refreshPostedAt', 'refreshDueAt', 'grantEndsAt', 'grantWarnAt'] as const;
const sessionFields = ['returnUrl', 'expectedEntityId', 'expectedExternalId', 'browserHash', 'sealedGrant'] as const;

export function describeAbsentValues(under: () => StoreUnderTest): void {
  describe('a value that is not there', () => {
    it('is null, whether it was written as null or never', async () => {
      const { first, second, leaveOut } = under();
      const userId = newUser();
      const credential = await insertCredential(first, userId);
      const entity = await insertEntity(first, userId, credential.id);
      const integration = await insertIntegration(first, userId, [entity.id]);
      const session = await sessionIn(first, 'pending');
      const nameless = await first.upsertEntity(
        { ...entity, id: newId('entity'), externalId: newExternalId(), name: null },
        noon,
      );
      await leaveOut('credentials', credential.id, credentialFields);
      await leaveOut('sessions', session.id, sessionFields);
      await leaveOut('integrations', integration.id, ['resumeSince']);
      await leaveOut('entities', nameless.id, ['name']);
      expect(await second.getCredential(credential.id)).toStrictEqual(credential);
      expect(await second.getSession(session.id)).toStrictEqual(session);
      expect(await second.getIntegration(integration.id)).toStrictEqual(integration);
      expect(await second.getEntity(nameless.id)).toStrictEqual(nameless);
    });

    it('holds where a write asks for null', async () => {
      const { first, second, leaveOut } = under();
      const session = await sessionIn(first, 'pending');
      await leaveOut('sessions', session.id, sessionFields);
      expect(await first.bindBrowser(session.id, 'browser', noon)).toMatchObject({ browserHash: 'browser' });
      expect(await second.bindBrowser(session.id, 'other', noon)).toBeNull();

      const credential = await insertCredential(first, newUser());
      const grant = grantOf(2, { refreshable: true });
      const { generation } = (await first.replaceGrant(credential.id, credential.epoch, grant, noon)) ?? credential;
      await leaveOut('credentials', credential.id, credentialFields);
      expect(await first.markRefreshPosted(credential.id, generation, 0, noon)).toMatchObject({ refreshPosts: 1 });
      expect(await second.markRefreshPosted(credential.id, generation, 0, noon)).toBeNull();
    });

    it('is no time that has come', async () => {
      const { first, leaveOut } = under();
      const provider = 'absent' as ProviderId;
      // Long before everything else here, which shares the table.
      const past = new Date('2001-01-01T00:00:00.000Z');
      const insert = async (grant: Partial<GrantWrite>) => {
        const key = { id: newId('credential'), userId: newUser(), provider, externalId: newExternalId() };
        await first.insertCredential(key, grantOf(1, { refreshable: true, ...grant }), noon);
        return key.id;
      };
      const never = await insert({});
      const missing = await insert({ refreshDueAt: past, grantWarnAt: past, grantEndsAt: later(past, minute) });
      await leaveOut('credentials', missing, credentialFields);
      const due = await insert({ refreshDueAt: past, grantWarnAt: past, grantEndsAt: later(past, minute) });
      const ours = (rows: readonly { readonly id: string }[]) =>
        rows.map(({ id }) => id).filter(id => [never, missing, due].some(known => known === id));
      const eon = new Date('2999-01-01T00:00:00.000Z');
      expect(ours(await first.listDueRefreshes(provider, eon, 100))).toEqual([due]);
      expect(ours(await first.listEndingGrants(past, 100))).toEqual([due]);

      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const [whole, partial] = [
        await insertIntegration(first, userId, [entity.id]),
        await insertIntegration(first, userId, [entity.id]),
      ];
      await leaveOut('integrations', partial.id, ['resumeSince']);
      const { rows } = await first.listUnresumedIntegrations(eon, { limit: 100, after: null });
      expect(rows.map(({ id }) => id)).not.toContain(whole.id);
      expect(rows.map(({ id }) => id)).not.toContain(partial.id);

      const integrationId = newIntegration();
      const write = { sealedSecrets: 'sealed', expiresAt: null, dueAt: null, failure: null };
      await first.compareAndSetSubscription(integrationId, 0, write);
      const found = await first.listDueSubscriptions(eon, { limit: 100, after: null });
      expect(found.rows.map(row => row.integrationId)).not.toContain(integrationId);
    });

    it('in a config is kept apart from a null there', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      for (const config of [{ folder: null }, {}, { folder: { id: null, ids: [null] } }]) {
        const { id } = await insertIntegration(first, userId, [entity.id], { config });
        expect((await second.getIntegration(id))?.config).toStrictEqual(config);
      }
    });
  });

  describe('an id of a provider', () => {
    const alike = ['7', '07', '7.0', '7e0', ' 7', '0x7', '9007199254740993', '9007199254740992'];

    it('is text, also where it looks like a number, and equals no other one', async () => {
      const { first, second } = under();
      const userId = newUser();
      const integrationId = newIntegration();
      const rows = alike.map(externalId => deliveryOf(integrationId, { externalId }));
      const stored = await first.insertDeliveries(rows);
      expect(stored.map(({ outcome }) => outcome)).toEqual(alike.map(() => 'stored'));
      const { id: credentialId } = await insertCredential(first, userId);
      const made = new Set<string>();
      for (const externalId of alike as ExternalId[]) {
        const key = { id: newId('entity'), userId, provider: attio, externalId };
        const entity = await first.upsertEntity({ ...key, name: null, credentialId, grantSequence: 9 }, noon);
        made.add(entity.id);
        expect(entity.externalId).toBe(externalId);
        expect(await second.findCredentialByExternalId(userId, attio, externalId)).toBeNull();
      }
      expect(made.size).toBe(alike.length);
    });

    it('that is a number or a string in a config stays what it is', async () => {
      const { first, second } = under();
      const userId = newUser();
      const entity = await insertEntity(first, userId);
      const config = { account: 7, board: '7', ratio: 7.5, list: [7, '7'] };
      const { id } = await insertIntegration(first, userId, [entity.id], { config });
      expect((await second.getIntegration(id))?.config).toStrictEqual(config);
    });
  });
}
