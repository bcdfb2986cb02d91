import { randomUUID } from 'node:crypto';
import type { AnyBulkWriteOperation, Document } from 'mongodb';
import { type DeliveryReason, unrunReasons } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { cleanDetail } from '../clean-detail.js';
import type { DeliveryOutcome } from '../port/delivery-rows.js';
import type { Documents } from './connect.js';
import { atOnce, pending, stageOf } from './delivery-documents.js';
import { idOnly } from './id-only.js';

interface Ending {
  readonly ids: DeliveryId[];
  readonly set: Document;
  /** The run came to an end by itself: it counts as an attempt unless it was released, and was no crash. */
  readonly ran: boolean;
  readonly kind: DeliveryOutcome['kind'];
}

type Update = AnyBulkWriteOperation<Document & { _id: string }>;

/**
 * Ends claims: deliveries that end alike share a write, and each is ended only while it carries the claim. Ones that are
 * suspect need their crashes counted down, which depends on the document; a second round writes those, and only when the
 * first one did not end them all.
 *
 * Every ended one keeps the mark of this call: when fewer were ended than named, the mark tells which.
 */
export async function finishDeliveries(
  deliveries: Documents,
  integrationId: IntegrationId,
  claim: string,
  outcomes: readonly DeliveryOutcome[],
  now: Date,
): Promise<readonly DeliveryId[]> {
  const lot = randomUUID();
  const endings = groupAlike(outcomes, now, lot);
  const claimed = (ids: readonly string[]) => ({ _id: { $in: [...ids] }, integrationId, state: 'claimed', claim });

  const plain = endings.map(
    ({ ids, set, ran, kind }): Update => ({
      updateMany: {
        filter: { ...claimed(ids), suspect: false },
        update: {
          $set: { ...set, suspect: kind === 'crashed' },
          $inc: { attempts: ran && kind !== 'released' ? 1 : 0 },
        },
      },
    }),
  );
  let ended = (await deliveries.bulkWrite(plain, { ordered: false })).matchedCount;
  if (ended === outcomes.length) return [];

  const suspects = endings.flatMap(({ ids, set, ran, kind }): Update[] => {
    const attempts = ran && kind !== 'released' ? 1 : 0;
    const end = (filter: Document, crashes: number): Update => ({
      updateMany: {
        filter: { ...claimed(ids), suspect: true, ...filter },
        update: { $set: { ...set, suspect: kind === 'released' || kind === 'crashed' }, $inc: { attempts, crashes } },
      },
    });
    // Exactly one of the two finds it: the first takes the claim away.
    return ran ? [end({ crashes: { $gt: 0 } }, -1), end({ crashes: 0 }, 0)] : [end({}, 0)];
  });
  if (suspects.length > 0) ended += (await deliveries.bulkWrite(suspects, { ordered: true })).matchedCount;
  if (ended === outcomes.length) return [];

  const found = await deliveries.find({ _id: { $in: outcomes.map(({ id }) => id) }, lot }, idOnly).toArray();
  const done = new Set(found.map(({ _id }) => _id));
  return outcomes.filter(({ id }) => !done.has(id)).map(({ id }) => id);
}

function groupAlike(outcomes: readonly DeliveryOutcome[], now: Date, lot: string): Ending[] {
  const endings = new Map<string, Ending>();
  for (const outcome of outcomes) {
    const set = { ...fieldsOf(outcome, now), claim: null, lot };
    const ran = cameToAnEnd(outcome);
    const key = JSON.stringify([outcome.kind, ran, set]);
    const alike: Ending = endings.get(key) ?? { ids: [], set, ran, kind: outcome.kind };
    alike.ids.push(outcome.id);
    endings.set(key, alike);
  }
  return [...endings.values()];
}

function cameToAnEnd(outcome: DeliveryOutcome): boolean {
  if (outcome.kind === 'released') return outcome.ran;
  return outcome.kind !== 'crashed' && !('reason' in outcome && unrunReasons.has(outcome.reason));
}

function fieldsOf(outcome: DeliveryOutcome, now: Date): Document {
  switch (outcome.kind) {
    case 'released':
      return { state: 'queued', stage: pending, dueAt: atOnce, ...reasonIfGiven(outcome.reason) };
    case 'crashed':
      return { state: 'queued', stage: pending, dueAt: atOnce, reason: 'handler_crashed', detail: null };
    case 'succeeded':
      return endFields('succeeded', { reason: null, detail: null }, now);
    case 'retry':
      return { state: 'queued', stage: pending, dueAt: outcome.nextAttemptAt ?? atOnce, ...toldReason(outcome) };
    case 'failed':
      return endFields('failed', toldReason(outcome), now);
  }
}

const reasonIfGiven = (reason: DeliveryReason | undefined): Document =>
  reason === undefined ? {} : { reason, detail: null };

const endFields = (state: 'succeeded' | 'failed', why: Document, finishedAt: Date): Document => ({
  ...{ state, stage: stageOf(state), dueAt: atOnce, finishedAt },
  ...why,
});

const toldReason = ({ reason, detail }: Extract<DeliveryOutcome, { readonly reason: unknown }>): Document => ({
  reason,
  detail: detail === null ? null : cleanDetail(detail),
});
