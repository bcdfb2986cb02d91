import type { ExternalId } from '../../../../domain/ids.js';
import type { CredentialId, EntityId, ProviderId } from '../../../../domain/ids.js';
import { drawNumbers } from '../../../../store/mongo/draw-numbers.js';
import { defineOperation, type Operation } from '../operation.js';
import { provider, type SessionRow } from '../records.js';

const after = { returnDocument: 'after' } as const;
const account = {
  ...{ externalId: 'a1' as ExternalId, credentialExternalId: 'a1' as ExternalId, name: 'Acme' },
} as const;
const asked = ({ id, userId, stateHash }: SessionRow, sealedRequest: string) => ({
  ...{ id, userId, stateHash, sealedRequest, provider: provider as ProviderId },
  ...{ redirectUri: 'http://127.0.0.1:9/callback', ownRedirect: false, returnUrl: null },
  ...{ expectedEntityId: null, expectedExternalId: null, expiresAt: new Date(Date.now() + 600_000) },
});
const result = ({ id }: SessionRow) => ({
  credentialId: `cred_${id.slice(4)}` as CredentialId,
  entityId: `ent_${id.slice(4)}` as EntityId,
});

/** The steps of a connect, in their order. */
export const sessionOperations: readonly Operation[] = [
  defineOperation({
    name: 'insertSession',
    writes: true,
    prepare: (scene, count) => scene.newSessions(count),
    port: (store, row, seal) => store.insertSession(asked(row, seal.request(row.id))),
    prisma: (client, row, seal) => {
      const at = new Date();
      const data = { ...asked(row, seal.request(row.id)), state: 'pending', createdAt: at, updatedAt: at };
      return client.authorizationSession.create({ data });
    },
    mongo: ({ sessions }, row, seal) => {
      const { id: _id, ...session } = asked(row, seal.request(row.id));
      const at = new Date();
      return sessions.insertOne({
        ...{ _id, ...session, state: 'pending', browserHash: null, sealedGrant: null, grantSequence: null },
        ...{ account: null, credentialId: null, entityId: null, errorCode: null, createdAt: at, updatedAt: at },
      });
    },
  }),
  defineOperation({
    name: 'getSession',
    writes: false,
    prepare: (scene, count) => scene.addSessions(count, 'pending'),
    port: (store, { id }) => store.getSession(id),
    prisma: (client, { id }) => client.authorizationSession.findUnique({ where: { id } }),
    mongo: ({ sessions }, { id }) => sessions.findOne({ _id: id }),
  }),
  defineOperation({
    name: 'findSessionByStateHash',
    writes: false,
    prepare: (scene, count) => scene.addSessions(count, 'pending'),
    port: (store, { stateHash }) => store.findSessionByStateHash(stateHash),
    prisma: (client, { stateHash }) => client.authorizationSession.findUnique({ where: { stateHash } }),
    mongo: ({ sessions }, { stateHash }) => sessions.findOne({ stateHash }),
  }),
  defineOperation({
    name: 'bindBrowser',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'pending'),
    port: (store, { id }) => store.bindBrowser(id, 'browser', new Date()),
    prisma: (client, { id }) => {
      const now = new Date();
      return client.authorizationSession.updateManyAndReturn({
        where: { id, state: 'pending', expiresAt: { gt: now }, browserHash: null },
        data: { browserHash: 'browser', updatedAt: now },
      });
    },
    mongo: ({ sessions }, { id }) => {
      const now = new Date();
      return sessions.findOneAndUpdate(
        { _id: id, state: 'pending', expiresAt: { $gt: now }, browserHash: null },
        { $set: { browserHash: 'browser', updatedAt: now } },
        after,
      );
    },
  }),
  defineOperation({
    name: 'claimSession',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'pending'),
    port: (store, { id }) => store.claimSession(id, new Date()),
    prisma: { raw: 1 },
    mongo: ({ sessions }, { id }) =>
      sessions.findOneAndUpdate(
        { _id: id, state: 'pending', expiresAt: { $gt: new Date() } },
        { $set: { state: 'exchanging' }, $currentDate: { updatedAt: true } },
        after,
      ),
  }),
  defineOperation({
    name: 'sealGrant',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'exchanging'),
    port: (store, { id }, seal) => store.sealGrant(id, seal.grant(id), new Date()),
    prisma: { raw: 1 },
    mongo: async (collections, { id }, seal) => {
      const sealedGrant = seal.grant(id);
      const grantSequence = await drawNumbers(collections, 'grants', 1);
      return collections.sessions.findOneAndUpdate(
        { _id: id, state: 'exchanging' },
        { $set: { state: 'exchanged', sealedGrant, grantSequence, updatedAt: new Date() } },
        after,
      );
    },
  }),
  defineOperation({
    name: 'recordAccount',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'exchanged'),
    port: (store, { id }) => store.recordAccount(id, account, new Date()),
    prisma: (client, { id }) =>
      client.authorizationSession.updateManyAndReturn({
        where: { id, state: 'exchanged', accountExternalId: null },
        data: {
          ...{ accountExternalId: account.externalId, accountCredentialId: account.credentialExternalId },
          ...{ accountName: account.name, updatedAt: new Date() },
        },
      }),
    mongo: ({ sessions }, { id }) =>
      sessions.findOneAndUpdate(
        { _id: id, state: 'exchanged', account: null },
        { $set: { account, updatedAt: new Date() } },
        after,
      ),
  }),
  defineOperation({
    name: 'connectSession',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'exchanged'),
    port: (store, row) => store.connectSession(row.id, result(row).credentialId, result(row).entityId, new Date()),
    prisma: (client, row) =>
      client.authorizationSession.updateManyAndReturn({
        where: { id: row.id, state: 'exchanged' },
        data: { state: 'connected', ...result(row), sealedGrant: null, updatedAt: new Date() },
      }),
    mongo: ({ sessions }, row) =>
      sessions.findOneAndUpdate(
        { _id: row.id, state: 'exchanged' },
        { $set: { state: 'connected', ...result(row), sealedGrant: null, updatedAt: new Date() } },
        after,
      ),
  }),
  defineOperation({
    name: 'completeSession',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'connected'),
    port: (store, { id }) => store.completeSession(id, new Date()),
    prisma: (client, { id }) =>
      client.authorizationSession.updateManyAndReturn({
        where: { id, state: 'connected' },
        data: { state: 'restored', updatedAt: new Date() },
      }),
    mongo: ({ sessions }, { id }) =>
      sessions.findOneAndUpdate(
        { _id: id, state: 'connected' },
        { $set: { state: 'restored', updatedAt: new Date() } },
        after,
      ),
  }),
  defineOperation({
    name: 'endSession',
    writes: true,
    prepare: (scene, count) => scene.addSessions(count, 'pending'),
    port: (store, { id }) => store.endSession(id, 'pending', 'access_denied', new Date()),
    prisma: (client, { id }) =>
      client.authorizationSession.updateManyAndReturn({
        where: { id, state: 'pending' },
        data: { state: 'failed', errorCode: 'access_denied', sealedGrant: null, updatedAt: new Date() },
      }),
    mongo: ({ sessions }, { id }) =>
      sessions.findOneAndUpdate(
        { _id: id, state: 'pending' },
        { $set: { state: 'failed', errorCode: 'access_denied', sealedGrant: null, updatedAt: new Date() } },
        after,
      ),
  }),
];
