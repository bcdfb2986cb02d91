import type { ClaimedDelivery } from '../../store/port/store.js';

const largestTurn = 1024 * 1024;

/** The first ones, as many as make a turn. A suspect is claimed by itself, so it is alone in its lot. */
export function chooseTurn(queue: readonly ClaimedDelivery[], length: number): readonly ClaimedDelivery[] {
  let size = 0;
  return queue.slice(0, length).filter((delivery, index) => {
    size += delivery.sealedContent.length;
    return index === 0 || size <= largestTurn;
  });
}
