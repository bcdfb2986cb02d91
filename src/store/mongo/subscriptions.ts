import type { SubscriptionStore, SubscriptionWrite } from '../port/subscription-store.js';
import { cleanDetail } from '../clean-detail.js';
import { afterTimeCursor, timeCursor, toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { firstOf, toSubscription } from './map-documents.js';
import { isDuplicateKey } from './map-mongo-error.js';
import { afterTime } from './read-page.js';

function toFields({ sealedSecrets, expiresAt, dueAt, failure }: SubscriptionWrite) {
  return {
    ...{ sealedSecrets, expiresAt, dueAt },
    failure: failure && { detail: cleanDetail(failure.detail), since: failure.since, tries: failure.tries },
  };
}

/** Subscriptions in MongoDB. */
export function createSubscriptionStore({ subscriptions }: Collections): SubscriptionStore {
  return {
    async getSubscription(integrationId) {
      return firstOf(await subscriptions.findOne({ _id: integrationId }), toSubscription);
    },

    async compareAndSetSubscription(integrationId, version, write) {
      const fields = { ...toFields(write), version: version + 1 };
      if (version > 0) {
        const written = await subscriptions.findOneAndUpdate(
          { _id: integrationId, version },
          { $set: fields },
          { returnDocument: 'after' },
        );
        return firstOf(written, toSubscription);
      }
      const document = { _id: integrationId, ...fields };
      try {
        await subscriptions.insertOne(document);
        return toSubscription(document);
      } catch (error) {
        if (isDuplicateKey(error)) return null;
        throw error;
      }
    },

    async listDueSubscriptions(now, page) {
      const { from, take } = afterTimeCursor(page);
      const found = await subscriptions
        .find({ dueAt: { $lte: now }, ...afterTime('dueAt', from) })
        .sort({ dueAt: 1, _id: 1 })
        .limit(take)
        .toArray();
      return toPage(found.map(toSubscription), page, row => timeCursor(row.dueAt, row.integrationId));
    },

    async deleteSubscription(integrationId) {
      await subscriptions.deleteOne({ _id: integrationId });
    },
  };
}
