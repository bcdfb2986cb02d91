import type { IntegrationStatus } from './status.js';

/**
 * The states of a delivery's row. "Held" is none of them: a held delivery is a queued one whose gate says hold.
 *
 *     queued ──claim──▶ claimed ──┬─▶ succeeded
 *       ▲                 │       └─▶ failed        (its attempts are spent, or its handler said: never again)
 *       └──retry, release─┘
 *     queued ──▶ discarded (arrived while its integration takes none)   queued ──▶ expired (fell out of the held bounds)
 *
 * A replay by hand, or a redelivery by the provider, queues a failed, discarded or expired one again.
 */
export const deliveryStates = ['queued', 'claimed', 'succeeded', 'failed', 'discarded', 'expired'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** What has ended otherwise than it was sent for. */
export const replayableStates = ['failed', 'discarded', 'expired'] as const satisfies readonly DeliveryState[];

/** Why a delivery was discarded or fell out, or how its last attempt ended. docs/webhooks.md lists the same codes. */
export const deliveryReasons = [
  'integration_disabled',
  'integration_in_error',
  'integration_deleted',
  'discarded_by_hand',
  'held_too_long',
  'held_too_many',
  'handler_failed',
  'handler_refused',
  'handler_timed_out',
  'handler_crashed',
  'handler_missing',
  'content_unreadable',
  'destination_refused',
  'destination_unreachable',
  'credential_dead',
] as const;
export type DeliveryReason = (typeof deliveryReasons)[number];

/** A delivery that ends with one of these was not run once more for it. */
export const unrunReasons: ReadonlySet<DeliveryReason> = new Set(['handler_crashed', 'content_unreadable']);

/** What is to be done with an integration's deliveries. */
export type Gate = 'process' | 'hold' | 'discard';
export const whileInErrorPolicies = ['hold', 'discard'] as const;
export type WhileInError = (typeof whileInErrorPolicies)[number];

export interface GateInput {
  /** Null: the integration is gone. */
  readonly status: IntegrationStatus | null;
  readonly openCauses: number;
  readonly whileInError: WhileInError;
}

/** The one function that gates the intake, the workflow and every lot that is about to run. */
export function decideGate({ status, openCauses, whileInError }: GateInput): Gate {
  switch (status) {
    case 'ENABLED':
      return 'process';
    case 'IN_CREATION':
    case 'PROCESSING':
    case 'NEEDS_CONFIG':
      return openCauses > 0 ? 'hold' : 'process';
    case 'ERROR':
      return whileInError;
    case 'DISABLED':
    case 'IN_DELETION':
    case null:
      return 'discard';
  }
}

/** Why a closed gate discards. */
export function discardReason(status: IntegrationStatus | null): DeliveryReason {
  switch (status) {
    case 'ERROR':
      return 'integration_in_error';
    case 'DISABLED':
      return 'integration_disabled';
    case 'ENABLED':
    case 'IN_CREATION':
    case 'NEEDS_CONFIG':
    case 'PROCESSING':
    case 'IN_DELETION':
    case null:
      return 'integration_deleted';
  }
}

const firstRetryMs = 1_000;
const longestRetryMs = 3_600_000;

/**
 * How long after its failed attempt number `attempt` (1 is the first) a delivery runs again: 1 s, 4 s, 16 s, 64 s, … up
 * to an hour, spread by up to a fifth so that many failures do not come back as one crowd.
 *
 * @param spread 0 to 1, drawn by the caller.
 */
export function retryDelayMs(attempt: number, spread: number): number {
  const wait = Math.min(firstRetryMs * 4 ** (attempt - 1), longestRetryMs);
  return Math.round(wait * (1 + spread / 5));
}

/** Runs alone that ended with their process or thread, after which a delivery counts as the one that kills. */
export const maxCrashes = 3;
