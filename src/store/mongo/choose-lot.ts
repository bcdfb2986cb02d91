import { largestLotBytes } from '../lot-size.js';
import type { QueueHead } from './delivery-documents.js';

/**
 * The unbroken run of what may run now, from the head on: one suspect alone, or any number of others up to the lot's
 * size, but always the first.
 */
export function chooseLot(head: readonly QueueHead[], now: Date): QueueHead[] {
  const runs = ({ state, dueAt }: QueueHead) => state === 'queued' && dueAt <= now;
  const lot: QueueHead[] = [];
  let size = 0;
  for (const delivery of head) {
    size += delivery.size;
    if (!runs(delivery) || (lot.length > 0 && (delivery.suspect || size > largestLotBytes))) break;
    lot.push(delivery);
    if (delivery.suspect) break;
  }
  return lot;
}

/** How many of those taken, in the order of arrival, come before the first that was chosen and not taken. */
export function countUnbroken(chosen: readonly string[], taken: readonly string[]): number {
  const hole = taken.findIndex((id, place) => id !== chosen[place]);
  return hole === -1 ? taken.length : hole;
}
