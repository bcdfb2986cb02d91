import { clientRejected } from '../../../../domain/credential-standing.js';
import { mayRefresh as mayRefreshFields, unposted } from '../../../../store/mongo/credential-refreshes.js';
import { defineOperation, type Operation } from '../operation.js';

const after = { returnDocument: 'after' } as const;
const due = new Date(Date.now() + 3_600_000);
const tokensOf = (sealedTokens: string) => ({ sealedTokens, refreshable: true, expiresAt: due, refreshDueAt: due });
const alive = { authIsValid: true, verdictCode: null, verdictHttpStatus: null, verdictSince: null };
const rise = { increment: 1 };
/** As the store on PostgreSQL says it. */
export const mayRefresh = { OR: [{ authIsValid: true }, { verdictCode: clientRejected }] };

/** What a token request and a test of a token write. */
export const refreshOperations: readonly Operation[] = [
  defineOperation({
    name: 'recordCredentialTest',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count),
    port: (store, { id }) => store.recordCredentialTest(id, { outcome: 'ok', generation: 1, at: new Date() }),
    prisma: async (client, { id }) => {
      const data = { lastTestOutcome: 'ok', lastTestGeneration: 1, lastTestAt: new Date() };
      await client.credential.updateMany({ where: { id, generation: 1 }, data });
    },
    mongo: async ({ credentials }, { id }) => {
      const lastTest = { outcome: 'ok', generation: 1, at: new Date() };
      await credentials.updateOne({ _id: id, generation: 1 }, { $set: { lastTest } });
    },
  }),
  defineOperation({
    name: 'markRefreshPosted',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count),
    port: (store, { id }) => store.markRefreshPosted(id, 1, 0, new Date()),
    prisma: (client, { id }) =>
      client.credential.updateManyAndReturn({
        where: { id, generation: 1, refreshPosts: 0, ...mayRefresh },
        data: { refreshPosts: rise, refreshPostedAt: new Date() },
      }),
    mongo: ({ credentials }, { id }) =>
      credentials.findOneAndUpdate(
        { _id: id, generation: 1, refreshPosts: 0, ...mayRefreshFields },
        { $set: { refreshPostedAt: new Date() }, $inc: { refreshPosts: 1 } },
        after,
      ),
  }),
  defineOperation({
    name: 'compareAndSetTokens',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count, { posted: true }),
    port: (store, { id }, seal) => store.compareAndSetTokens(id, 1, tokensOf(seal.tokens(id)), new Date()),
    prisma: (client, { id }, seal) => {
      const raised = { generation: rise, epoch: rise, updatedAt: new Date() };
      return client.credential.updateManyAndReturn({
        where: { id, generation: 1, ...mayRefresh },
        data: { ...tokensOf(seal.tokens(id)), ...alive, ...unposted, ...raised },
      });
    },
    mongo: ({ credentials }, { id }, seal) =>
      credentials.findOneAndUpdate(
        { _id: id, generation: 1, ...mayRefreshFields },
        {
          $set: { ...tokensOf(seal.tokens(id)), authIsValid: true, verdict: null, ...unposted, updatedAt: new Date() },
          $inc: { generation: 1, epoch: 1 },
        },
        after,
      ),
  }),
  defineOperation({
    name: 'clearRefreshPosted',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count, { posted: true }),
    port: (store, { id }) => store.clearRefreshPosted(id, 1, 1),
    prisma: (client, { id }) =>
      client.credential.updateMany({
        where: { id, generation: 1, refreshPosts: 1, refreshPostedAt: { not: null } },
        data: { refreshPostedAt: null },
      }),
    mongo: ({ credentials }, { id }) =>
      credentials.updateOne(
        { _id: id, generation: 1, refreshPosts: 1, refreshPostedAt: { $ne: null } },
        { $set: { refreshPostedAt: null } },
      ),
  }),
];
