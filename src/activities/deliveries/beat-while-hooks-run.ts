import type { Context } from '@temporalio/activity';
import { z } from 'zod';

const heartbeatEveryMs = 2_000;
/** Attempts whose worker ended while a hook ran, after which none is run. Fewer than the attempts of `prepareOptions`. */
const maxLostAttempts = 2;

/** What an attempt leaves behind for the next one: how many were lost, itself included while a hook runs in it. */
const detailsSchema = z.object({ lostAttempts: z.number().int().nonnegative() });

/** Of one attempt, which stops it whatever becomes of it. */
export interface HookHeart {
  /** Null, or why the hooks are not to be run another time. */
  readonly whyNotAgain: string | null;
  /** @throws What the hook's call throws. */
  run<T>(hook: () => Promise<T>): Promise<T>;
  stop(): void;
}

/**
 * Beats for an attempt that runs hooks. A worker that ends in the middle of one (killed for its memory, a native crash)
 * can write nothing down any more, and the hook would end one worker after the other: so each attempt says by its
 * heartbeat, which the server keeps, that a hook has begun, and takes it back once the hook returned.
 *
 * The server hears of a beginning at once where it heard nothing for eight seconds (the SDK holds back what comes sooner),
 * and of the last word of an attempt that fails. So it is the attempts that are counted and not the hooks: which of two
 * ran when the worker ended may not have been heard.
 */
export function beatWhileHooksRun(context: Context): HookHeart {
  const left: unknown = context.info.heartbeatDetails;
  const { lostAttempts } = detailsSchema.catch({ lostAttempts: 0 }).parse(left);
  let details = { lostAttempts };
  const beat = () => context.heartbeat(details);
  let timer: NodeJS.Timeout | undefined;
  return {
    whyNotAgain:
      lostAttempts < maxLostAttempts ? null : `the worker ended while it ran, ${lostAttempts} times in a row`,
    async run(hook) {
      details = { lostAttempts: lostAttempts + 1 };
      beat();
      // Not before: a beat that says nothing would hold back the one that says that a hook has begun.
      timer ??= setInterval(beat, heartbeatEveryMs);
      try {
        return await hook();
      } finally {
        details = { lostAttempts };
        beat();
      }
    },
    stop: () => clearInterval(timer),
  };
}
