import { RelinkError } from '../../errors.js';
import type { HandlerCall } from '../../handlers/handler-host.js';
import type { ClaimedDelivery } from '../../store/port/store.js';
import { type Consumer, openDelivery, type OpenDependencies } from './open-delivery.js';

export interface OpenedTurn {
  /** Of the first ones, as many as could be opened. */
  readonly calls: readonly HandlerCall[];
  /** What is wrong with the one after them; null when all were opened. Only a missing key may be there another time. */
  readonly unopened: 'key_missing' | 'damaged' | null;
}

/** Opens deliveries for their handlers, up to the first that cannot be opened: those before it have their turn first. */
export function openTurn(
  dependencies: OpenDependencies,
  consumer: Consumer,
  turn: readonly ClaimedDelivery[],
): OpenedTurn {
  const calls: HandlerCall[] = [];
  for (const delivery of turn) {
    try {
      calls.push(openDelivery(dependencies, consumer, delivery));
    } catch (error) {
      const isSealed = error instanceof RelinkError && error.code === 'secret_unreadable';
      const isKeyMissing = isSealed && !dependencies.vault.hasKeyOf(delivery.sealedContent);
      return { calls, unopened: isKeyMissing ? 'key_missing' : 'damaged' };
    }
  }
  return { calls, unopened: null };
}
