import type { GrantWrite } from '../../../../store/port/store.js';
import type { ProviderId } from '../../../../domain/ids.js';
import { mayRefresh as mayRefreshFields, unposted } from '../../../../store/mongo/credential-refreshes.js';
import { defineOperation, type Operation } from '../operation.js';
import { type CredentialRow, provider } from '../records.js';
import { mayRefresh } from './refreshes.js';

const after = { returnDocument: 'after' } as const;
const due = new Date(Date.now() + 3_600_000);
const tokensOf = (sealedTokens: string) => ({ sealedTokens, refreshable: true, expiresAt: due, refreshDueAt: due });
const grantOf = (sealedTokens: string): GrantWrite => ({
  ...tokensOf(sealedTokens),
  ...{ kind: 'oauth2', grantEndsAt: null, grantWarnAt: null, grantSequence: 2 },
});
const keyOf = ({ id, userId, externalId }: CredentialRow) => ({
  ...{ id, userId, externalId, provider: provider as ProviderId },
});
const verdict = { code: 'credential_refused', httpStatus: 401, since: new Date() } as const;
const alive = { authIsValid: true, verdictCode: null, verdictHttpStatus: null, verdictSince: null };
const aliveFields = { authIsValid: true, verdict: null };
const rise = { increment: 1 };

/** Credentials: reading them, a grant, a death, its end. */
export const credentialOperations: readonly Operation[] = [
  defineOperation({
    name: 'getCredential',
    writes: false,
    prepare: scene => scene.people.flatMap(({ credentials }) => credentials),
    port: async (store, { id }, seal) => {
      const found = await store.getCredential(id);
      if (found !== null) seal.openTokens(id, found.sealedTokens);
      return found;
    },
    prisma: async (client, { id }, seal) => {
      const found = await client.credential.findUnique({ where: { id } });
      if (found !== null) seal.openTokens(id, found.sealedTokens);
      return found;
    },
    mongo: async ({ credentials }, { id }, seal) => {
      const found = await credentials.findOne({ _id: id });
      const sealed: unknown = found?.['sealedTokens'];
      if (typeof sealed === 'string') seal.openTokens(id, sealed);
      return found;
    },
  }),
  defineOperation({
    name: 'getCredentialForUser',
    writes: false,
    prepare: scene => scene.people.flatMap(({ credentials }) => credentials),
    port: (store, { id, userId }) => store.getCredentialForUser(id, userId),
    prisma: (client, { id, userId }) => client.credential.findUnique({ where: { id, userId } }),
    mongo: ({ credentials }, { id, userId }) => credentials.findOne({ _id: id, userId }),
  }),
  defineOperation({
    name: 'findCredentialByExternalId',
    writes: false,
    prepare: scene => scene.people.flatMap(({ credentials }) => credentials.map(keyOf)),
    port: (store, row) => store.findCredentialByExternalId(row.userId, row.provider, row.externalId),
    prisma: (client, { userId, provider: name, externalId }) =>
      client.credential.findUnique({ where: { userId_provider_externalId: { userId, provider: name, externalId } } }),
    mongo: ({ credentials }, { userId, provider: name, externalId }) =>
      credentials.findOne({ userId, provider: name, externalId }),
  }),
  defineOperation({
    name: 'listCredentials',
    writes: false,
    prepare: scene => scene.people,
    port: (store, { userId }) => store.listCredentials(userId, { limit: 100, after: null }),
    prisma: (client, { userId }) =>
      client.credential.findMany({ where: { userId }, orderBy: { id: 'asc' }, take: 101 }),
    mongo: ({ credentials }, { userId }) => credentials.find({ userId }).sort({ _id: 1 }).limit(101).toArray(),
  }),
  defineOperation({
    name: 'insertCredential',
    writes: true,
    prepare: (scene, count) => scene.newCredentials(count),
    port: (store, row, seal) => store.insertCredential(keyOf(row), grantOf(seal.tokens(row.id)), new Date()),
    prisma: (client, row, seal) => {
      const at = new Date();
      const counters = { authIsValid: true, generation: 1, epoch: 1, createdAt: at, updatedAt: at };
      const data = [{ ...keyOf(row), ...grantOf(seal.tokens(row.id)), ...counters }];
      return client.credential.createManyAndReturn({ data, skipDuplicates: true });
    },
    mongo: ({ credentials }, row, seal) => {
      const { id: _id, ...key } = keyOf(row);
      const at = new Date();
      const counters = { generation: 1, epoch: 1, lastTest: null, createdAt: at, updatedAt: at };
      const grant = { ...grantOf(seal.tokens(row.id)), removing: null, ...aliveFields, ...unposted };
      return credentials.insertOne({ _id, ...key, ...grant, ...counters });
    },
  }),
  defineOperation({
    name: 'replaceGrant',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count),
    port: (store, { id }, seal) => store.replaceGrant(id, 1, grantOf(seal.tokens(id)), new Date()),
    prisma: (client, { id }, seal) => {
      const grant = grantOf(seal.tokens(id));
      const raised = { generation: rise, epoch: rise, updatedAt: new Date() };
      return client.credential.updateManyAndReturn({
        where: { id, epoch: 1, grantSequence: { lt: 2 } },
        data: { ...grant, ...alive, ...unposted, ...raised },
      });
    },
    mongo: ({ credentials }, { id }, seal) => {
      const grant = { ...grantOf(seal.tokens(id)), removing: null };
      return credentials.findOneAndUpdate(
        { _id: id, epoch: 1, grantSequence: { $lt: 2 } },
        {
          $set: { ...grant, ...aliveFields, ...unposted, updatedAt: new Date() },
          $inc: { generation: 1, epoch: 1 },
        },
        after,
      );
    },
  }),
  defineOperation({
    name: 'markCredentialInvalid',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count),
    port: (store, { id }) => store.markCredentialInvalid(id, 1, verdict, new Date()),
    prisma: (client, { id }) =>
      client.credential.updateManyAndReturn({
        where: { id, epoch: 1, ...mayRefresh },
        data: {
          ...{ authIsValid: false, verdictCode: verdict.code, verdictHttpStatus: verdict.httpStatus },
          ...{ verdictSince: verdict.since, refreshDueAt: null, epoch: rise, updatedAt: new Date() },
        },
      }),
    mongo: ({ credentials }, { id }) =>
      credentials.findOneAndUpdate(
        { _id: id, epoch: 1, ...mayRefreshFields },
        { $set: { authIsValid: false, verdict, updatedAt: new Date(), refreshDueAt: null }, $inc: { epoch: 1 } },
        after,
      ),
  }),
  defineOperation({
    name: 'markCredentialValid',
    writes: true,
    prepare: (scene, count) => scene.addCredentials(count, { dead: true }),
    port: (store, { id }) => store.markCredentialValid(id, 1, new Date()),
    prisma: (client, { id }) =>
      client.credential.updateManyAndReturn({
        where: { id, epoch: 1, authIsValid: false, verdictCode: { not: 'credential_deleted' } },
        data: { ...alive, epoch: rise, updatedAt: new Date() },
      }),
    mongo: ({ credentials }, { id }) =>
      credentials.findOneAndUpdate(
        { _id: id, epoch: 1, authIsValid: false, 'verdict.code': { $ne: 'credential_deleted' } },
        { $set: { ...aliveFields, updatedAt: new Date() }, $inc: { epoch: 1 } },
        after,
      ),
  }),
];
