import { Long } from 'mongodb';
import type { Collections, Documents } from '../../../../store/mongo/connect.js';
import { atOnce, pending, untouched } from '../../../../store/mongo/delivery-documents.js';
import { entityKeyOf } from '../../../../store/mongo/entity-key.js';

type New = Parameters<Documents['insertOne']>[0];

const id = (prefix: string, place: number) => `${prefix}_${String(place).padStart(32, '0')}`;
const documentsAtOnce = 2_000;
const minute = 60_000;

async function insert(into: Documents, from: number, to: number, make: (place: number) => New): Promise<void> {
  for (let first = from; first <= to; first += documentsAtOnce) {
    const length = Math.min(documentsAtOnce, to - first + 1);
    await into.insertMany(
      Array.from({ length }, (_, place) => make(first + place)),
      { ordered: false },
    );
  }
}

/** The same as in seed-postgres.ts, as documents. */
export async function seedMongoIntegrations(collections: Collections, from: number, to: number): Promise<void> {
  const now = new Date();
  const [first, last] = [from === 1 ? 1 : Math.floor((from - 1) / 2) + 2, Math.floor(to / 2) + 1];
  const dueAt = (n: number) => new Date(now.getTime() + (n % 500 === 0 ? -1 : 1) * n * minute);
  await insert(collections.credentials, first, last, n => ({
    ...{ _id: id('cred', n), userId: `user-${n % 500}`, provider: 'attio', externalId: `x${n}`, kind: 'oauth2' },
    ...{ sealedTokens: 'sealed', refreshable: true, expiresAt: null, authIsValid: true, verdict: null, generation: 1 },
    ...{ epoch: 1, grantSequence: n, lastTest: null, refreshTry: 0, refreshPosts: 0, refreshPostedAt: null },
    ...{ refreshDueAt: dueAt(n), grantEndsAt: null, grantWarnAt: n % 100 === 0 ? dueAt(n) : null, removing: null },
    ...{ createdAt: now, updatedAt: now },
  }));
  await insert(collections.entities, first, last, n => ({
    ...{ _id: id('ent', n), userId: `user-${n % 500}`, provider: 'attio', externalId: `x${n}`, name: null },
    ...{ credentialId: id('cred', n), grantSequence: n, createdAt: now, updatedAt: now },
  }));
  await insert(collections.integrations, from, to, n => {
    const account = 1 + Math.floor(n / 2);
    const [isNew, isHeld] = [n % 1_000 === 0, n % 20 === 5];
    const cause = {
      ...{ credentialId: id('cred', account), epoch: 2, provider: 'attio', code: 'credential_refused' },
      ...{ httpStatus: 401, text: '', since: '' },
    };
    const entityIds = [id('ent', account)];
    return {
      ...{
        _id: id('int', n),
        userId: `user-${n % 500}`,
        type: `type${n}`,
        entityIds,
        entityKey: entityKeyOf(entityIds),
      },
      ...{ config: '{}', lifecycle: isNew ? 'creating' : 'ready', intent: 'on', causes: isHeld ? [cause] : [] },
      ...{ epochs: {}, status: isNew ? 'IN_CREATION' : isHeld ? 'ERROR' : 'ENABLED', statusSince: now },
      ...{
        resumeSince: null,
        resuming: false,
        version: 1,
        createdAt: now,
        updatedAt: new Date(now.getTime() - n * 1_000),
      },
    };
  });
}

export async function seedMongoBesides(collections: Collections, many: number): Promise<void> {
  const now = new Date();
  await insert(collections.subscriptions, 1, many - 1, n => ({
    ...{ _id: id('int', n), sealedSecrets: null, expiresAt: null, dueAt: null, failure: null, version: 1 },
  }));
  await insert(collections.sessions, 1, many, n => {
    const isStuck = n % 2_000 === 0;
    return {
      ...{ _id: id('ses', n), userId: `user-${n % 500}`, provider: 'attio', state: isStuck ? 'exchanging' : 'failed' },
      ...{ stateHash: `hash${n}`, redirectUri: 'https://example.com', ownRedirect: false, returnUrl: null },
      ...{ expectedEntityId: null, expectedExternalId: null, browserHash: null, sealedRequest: 'sealed' },
      ...{ sealedGrant: null, grantSequence: null, account: null, credentialId: null, entityId: null },
      ...{ errorCode: isStuck ? null : 'access_denied', createdAt: now, expiresAt: now },
      updatedAt: new Date(now.getTime() - n * 1_000),
    };
  });
  for (let n = 7; n <= many / 2; n += 100) {
    const verdict = { code: 'credential_deleted', httpStatus: null, since: now };
    const sealedTokens = n % 2_000 === 7 ? 'sealed' : '';
    await collections.credentials.updateOne(
      { _id: id('cred', n) },
      { $set: { authIsValid: false, verdict, sealedTokens } },
    );
  }
  await insert(collections.tokenReads, 1, many, n => ({
    ...{ _id: id('trd', n), credentialId: id('cred', 4_242 + (n % (many / 10))), userId: 'user', apiKey: 'key' },
    ...{ generation: 1, requestId: 'request', readAt: now },
  }));
}

/** Of the integrations number `first` to `last`; `from` is beyond the numbers of those that are there. */
export async function seedMongoDeliveries(
  { deliveries, counters }: Collections,
  [first, last]: readonly [number, number],
  each: number,
  from: number,
): Promise<void> {
  const now = Date.now();
  const count = (last - first + 1) * each;
  await insert(deliveries, 0, count - 1, place => {
    const d = (place % each) + 1;
    const state = d > each - 5 ? 'queued' : d > each - 8 ? 'failed' : 'succeeded';
    return {
      ...{ ...untouched, _id: id('dlv', from + place + 1), integrationId: id('int', first + Math.floor(place / each)) },
      ...{ provider: 'attio', externalId: `evt${from + d}`, sealedContent: 'x'.repeat(300), size: 300, state },
      ...{ sequence: from + place + 1, stage: state === 'queued' ? pending : state, dueAt: atOnce },
      ...{ reason: state === 'failed' ? 'handler_failed' : null, receivedAt: new Date(now - 24 * 60 * minute) },
      finishedAt: state === 'queued' ? null : new Date(now - 60 * minute - d * 1_000),
    };
  });
  const value = Long.fromNumber(from + count);
  await counters.updateOne({ _id: 'deliveries' }, { $set: { value } });
}

export async function seedMongoConsumers({ consumers, subscriptions }: Collections): Promise<void> {
  const now = Date.now();
  await insert(consumers, 0, 999, i => ({
    ...{ _id: id('int', i), claim: 'run/1', isLooking: false, fence: 0 },
    since: new Date(now - Math.floor(i / 900) * 2 * 24 * 60 * minute),
  }));
  await insert(subscriptions, 0, 9_999, i => ({
    ...{ _id: id('int', i), sealedSecrets: null, expiresAt: null, failure: null, version: 1 },
    dueAt: new Date(now - 24 * 60 * minute + i * 3 * minute),
  }));
}
