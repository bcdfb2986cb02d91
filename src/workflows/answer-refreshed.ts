import { condition, patched, setHandler } from '@temporalio/workflow';
import type { RefreshResult } from '../contracts/workflows.js';
import { refreshedUpdate } from './messages.js';

/** Callers are told of a wait that is longer than this at once, instead of when their own deadline is over. */
const tellWaitsAboveMs = 5_000;

export interface RefreshedAnswers {
  beginWait(waitMs: number): void;
  endWait(): void;
  end(result: RefreshResult): void;
}

/**
 * Answers the callers of a refresh: with its outcome, or with a longer wait for as long as it lasts. Whoever comes during
 * a request waits for that one. To be called before the first await of a run: an update that finds no handler is rejected
 * at the end of the activation.
 */
export function answerRefreshed(): RefreshedAnswers {
  let known: RefreshResult | undefined;
  setHandler(refreshedUpdate, async () => {
    await condition(() => known !== undefined);
    return known ?? pendingUntil(0);
  });
  return {
    beginWait(waitMs) {
      if (waitMs > tellWaitsAboveMs) known = pendingUntil(waitMs);
    },
    endWait() {
      if (known !== undefined && patched('each-wait-is-told')) known = undefined;
    },
    end(result) {
      known = result;
    },
  };
}

export function pendingUntil(waitMs: number): RefreshResult {
  return { outcome: 'pending', retryAt: new Date(Date.now() + waitMs).toISOString() };
}
