import { retryDelayMs } from '../domain/delivery.js';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { beginBuiltInTurn, type BuiltInHandler } from './built-in-turn.js';
import type { HandlerAnswer, HandlerHost, HandlerServices, HandlerTurn } from './handler-host.js';
import { HandlerThread } from './handler-thread-slot.js';
import type { ThreadEntry } from './start-thread.js';
import { createPlaces } from './take-places.js';
import { untilReady } from './until-ready.js';
import { watchCredential, type WatchedCall } from './watch-credential.js';
import { withinTime, type TimedCall } from './within-time.js';

export interface HandlerHostSettings {
  /** The adopter's module; null: there are only built-in types. */
  readonly modulePath: string | null;
  readonly builtIn: ReadonlyMap<string, BuiltInHandler>;
  /** How many threads share the calls; as many again may each run one call alone. */
  readonly threads: number;
  /** What each thread may use, heap and buffers. Megabytes. */
  readonly memoryMb: number;
  /** The thread's program; the compiled one unless given. */
  readonly entry?: ThreadEntry | undefined;
}

interface BegunTurn {
  readonly calls: readonly TimedCall[];
  readonly release: () => void;
}

/**
 * Threads of our own keeping rather than a pool library's: on a death it has to be known which calls were in that
 * thread, and a running call needs a way to ask the service for a request.
 *
 * A thread starts with the first call that has none free. One that was left with handlers that do not end takes no more
 * calls and ends with its last good one; there are never more such threads than sharing ones.
 */
export function createHandlerHost(settings: HandlerHostSettings): HandlerHost {
  const { modulePath, builtIn, threads, memoryMb } = settings;
  const entry = settings.entry ?? { path: join(__dirname, 'handler-thread.js'), argv: [] };
  const shared: HandlerThread[] = [];
  const worn = new Set<HandlerThread>();
  const busyAlone = new Set<HandlerThread>();
  const idleAlone: HandlerThread[] = [];
  const places = createPlaces(threads);

  const makeThread = (path: string) => new HandlerThread({ entry, modulePath: path, memoryMb });

  function dropUnusable(): void {
    for (const thread of worn) if (!thread.isUsable) worn.delete(thread);
    for (const [index, thread] of [...shared.entries()].reverse()) {
      if (thread.isUsable && !(thread.isWorn && worn.size < threads)) continue;
      if (thread.isUsable) worn.add(thread);
      shared.splice(index, 1);
    }
  }

  function pickShared(path: string): HandlerThread {
    dropUnusable();
    const [first, ...others] = shared;
    const least = others.reduce((best, thread) => (best && best.load <= thread.load ? best : thread), first);
    // One more only when those that are there have something to do.
    if (least !== undefined && (least.load === 0 || shared.length >= threads)) return least;
    const thread = makeThread(path);
    shared.push(thread);
    return thread;
  }

  /** The turn's calls begin, unless `onBegin` says no; `release` is for when all is over. */
  async function beginTurn(
    turn: HandlerTurn,
    calls: readonly WatchedCall[],
    signal: AbortSignal,
  ): Promise<BegunTurn | null> {
    const { type, alone } = turn.calls[0] ?? { type: '', alone: false };
    const handler = builtIn.get(type) ?? (modulePath === null ? missing : undefined);
    if (handler !== undefined) {
      const openUntil = await turn.onBegin();
      return openUntil === null
        ? null
        : { calls: beginBuiltInTurn(handler, calls, openUntil), release: () => undefined };
    }
    return alone ? beginAlone(turn, calls, signal) : beginShared(turn, calls, signal);
  }

  async function beginShared(turn: HandlerTurn, calls: readonly WatchedCall[], signal: AbortSignal) {
    for (;;) {
      const thread = pickShared(modulePath ?? '');
      const openUntil = await thread.reserve(async () => {
        await untilReady(thread, signal);
        return turn.onBegin();
      });
      signal.throwIfAborted();
      if (openUntil === null) return null;
      // One whose module did not load says so itself; one that died since then has had other calls in it.
      if (!thread.isUsable && thread.hasLoaded) continue;
      return { calls: beginIn(thread, calls, openUntil), release: () => undefined };
    }
  }

  async function beginAlone(turn: HandlerTurn, calls: readonly WatchedCall[], signal: AbortSignal) {
    const giveBack = await places.take(signal);
    let thread = idleAlone.filter(idle => idle.isUsable).pop() ?? makeThread(modulePath ?? '');
    idleAlone.length = 0;
    busyAlone.add(thread);
    const release = () => {
      busyAlone.delete(thread);
      if (thread.isUsable && idleAlone.length === 0) idleAlone.push(thread);
      else void thread.terminate();
      giveBack();
    };
    try {
      await thread.reserve(() => untilReady(thread, signal));
      // What an earlier call left in it ended it: this one is to be charged for what it does itself.
      if (!thread.isUsable && thread.hasLoaded) {
        busyAlone.delete(thread);
        thread = makeThread(modulePath ?? '');
        busyAlone.add(thread);
        await thread.reserve(() => untilReady(thread, signal));
      }
      const openUntil = await turn.onBegin();
      signal.throwIfAborted();
      if (openUntil !== null) return { calls: beginIn(thread, calls, openUntil), release };
    } catch (error) {
      release();
      throw error;
    }
    release();
    return null;
  }

  async function runInTurn(turn: HandlerTurn, services: HandlerServices, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    // Many calls share a worker's signal, which is no leak.
    setMaxListeners(0, signal);
    const watched = turn.calls.map(call => watchCredential(call, services));
    const begun = await beginTurn(turn, watched, signal);
    if (begun === null) return 0;
    let ended = 0;
    try {
      for (const [index, timed] of begun.calls.entries()) {
        const call = watched[index];
        if (call === undefined) break;
        const answer = await withinTime(timed, call.timeoutMs, signal, call.clock);
        if (answer === null) break;
        // The signal may be what ended it: then it counts as not ended. What was done was done.
        if (signal.aborted && answer.kind !== 'done') break;
        ended += 1;
        // Whatever the handler made of it: without its credential it could not do its work.
        const isHeld = answer.kind !== 'done' && call.credentialDied();
        turn.onAnswer(index, isHeld ? failed('credential_dead', null) : awaitProvider(call, answer));
        if (answer.kind !== 'done') break;
      }
    } finally {
      begun.release();
    }
    if (ended === 0) signal.throwIfAborted();
    return ended;
  }

  return {
    isBuiltIn: type => builtIn.has(type),
    runInTurn,
    async run(call, services, signal) {
      let answer: HandlerAnswer | undefined;
      const onAnswer = (_index: number, given: HandlerAnswer) => (answer = given);
      await runInTurn({ calls: [call], onBegin: () => Promise.resolve(Infinity), onAnswer }, services, signal);
      return answer ?? failed('handler_failed', 'the handler was not begun');
    },
    close: async () => {
      const living = [...shared, ...worn, ...busyAlone, ...idleAlone];
      await Promise.all(living.map(thread => thread.terminate()));
    },
  };
}

function beginIn(thread: HandlerThread, calls: readonly WatchedCall[], openUntil: number): readonly TimedCall[] {
  return thread.run(calls, openUntil).map(({ number, ended }) => ({
    started: thread.started,
    ended,
    abort: () => thread.abort(number),
    giveUp: () => thread.giveUp(number),
  }));
}

/** A failed call comes again when its provider said, and not before its usual time; what the handler said goes first. */
function awaitProvider({ facts, askedToWaitMs }: WatchedCall, answer: HandlerAnswer): HandlerAnswer {
  const waitMs = askedToWaitMs();
  if (answer.kind !== 'failed' || answer.retryAfterMs !== null || waitMs === null) return answer;
  return { ...answer, retryAfterMs: Math.max(waitMs, retryDelayMs(facts.attempt, Math.random())) };
}

const missing: BuiltInHandler = () => Promise.resolve(failed('handler_missing', null));

function failed(
  reason: Extract<HandlerAnswer, { kind: 'failed' }>['reason'],
  detail: string | null,
): Extract<HandlerAnswer, { kind: 'failed' }> {
  return { kind: 'failed', reason, detail, retryable: true, retryAfterMs: null };
}
