import { z } from 'zod';
import { replayableStates } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { InsertedDelivery, NewDelivery } from '../port/delivery-rows.js';
import type { Collections } from './connect.js';
import { untouched } from './delivery-documents.js';
import { drawNumbers } from './draw-numbers.js';
import { idOnly } from './id-only.js';
import { readDuplicates } from './map-mongo-error.js';

/** What the other stores cannot hold in a provider's id: the same input has the same answer on each. */
const refusedInIds = /[\0\u001f]/;

/**
 * One insert for all of them; those that the unique key (integration, external id) refused are then looked at one by one.
 * Numbers are drawn in the order given. A call that fails midway has stored some: repeated, it finds them as duplicates,
 * and nothing is answered before all are stored.
 */
export async function insertDeliveries(
  collections: Collections,
  given: readonly NewDelivery[],
): Promise<readonly InsertedDelivery[]> {
  if (given.length === 0) return [];
  if (given.some(({ externalId }) => refusedInIds.test(externalId))) {
    throw new RelinkError('invalid_request', 'a delivery id holds a control character');
  }
  const first = await drawNumbers(collections, 'deliveries', given.length);
  const outcomes = given.map(({ id }): InsertedDelivery => ({ outcome: 'stored', id }));
  const refused = await insert(collections, given, first);
  if (refused.length === 0) return outcomes;
  const settled = await findSettled(collections, given, refused);
  for (const place of refused) {
    const delivery = given[place];
    if (delivery === undefined) continue;
    outcomes[place] = settled.has(keyOf(delivery)) ? duplicate : await meetKnown(collections, delivery, first + place);
  }
  return outcomes;
}

const duplicate: InsertedDelivery = { outcome: 'duplicate', id: null };
const keyOf = (key: { readonly integrationId: string; readonly externalId: string }) =>
  `${key.integrationId} ${key.externalId}`;
const knownShape = z.array(z.object({ integrationId: z.string(), externalId: z.string() }));

/** The keys, of those refused, whose delivery waits or succeeded: nothing is to be done about them. One look for each integration. */
async function findSettled({ deliveries }: Collections, given: readonly NewDelivery[], refused: readonly number[]) {
  const asked = new Map<IntegrationId, string[]>();
  for (const place of refused) {
    const { integrationId, externalId } = given[place] ?? {};
    if (integrationId === undefined || externalId === undefined) continue;
    asked.set(integrationId, [...(asked.get(integrationId) ?? []), externalId]);
  }
  const settled = new Set<string>();
  for (const [integrationId, externalIds] of asked) {
    const found = await deliveries
      .find(
        { integrationId, externalId: { $in: externalIds }, stage: { $nin: replayableStates } },
        { projection: { integrationId: 1, externalId: 1 } },
      )
      .toArray();
    for (const known of knownShape.parse(found)) settled.add(keyOf(known));
  }
  return settled;
}

/** Inserts what it can; the places of those that are there already. */
async function insert({ deliveries }: Collections, given: readonly NewDelivery[], first: number) {
  const documents = given.map(({ id, ...delivery }, place) => ({
    _id: id,
    ...{ integrationId: delivery.integrationId, provider: delivery.provider, externalId: delivery.externalId },
    ...{ sealedContent: delivery.sealedContent, receivedAt: delivery.receivedAt },
    sequence: first + place,
    size: delivery.sealedContent.length,
    ...untouched,
  }));
  try {
    await deliveries.insertMany(documents, { ordered: false });
    return [];
  } catch (error) {
    return readDuplicates(error, documents.length);
  }
}

/** Queues a known one again if it ended without success; by its state in the filter, so that one of many does. */
async function meetKnown(collections: Collections, delivery: NewDelivery, sequence: number): Promise<InsertedDelivery> {
  const { deliveries } = collections;
  const { integrationId, externalId, sealedContent, receivedAt } = delivery;
  const again = await deliveries.findOneAndUpdate(
    { integrationId, externalId, stage: { $in: replayableStates } },
    { $set: { ...untouched, sealedContent, size: sealedContent.length, receivedAt, sequence } },
  );
  if (again !== null) return { outcome: 'queued_again', id: again._id as DeliveryId };
  const known = await deliveries.findOne({ integrationId, externalId }, idOnly);
  if (known !== null) return duplicate;
  // Retention deleted it in between: it counts as new.
  const [there] = await insert(collections, [delivery], sequence);
  return there === undefined ? { outcome: 'stored', id: delivery.id } : duplicate;
}
