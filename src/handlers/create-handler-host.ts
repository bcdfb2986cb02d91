import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { HandlerAnswer, HandlerCall, HandlerHost, HandlerServices } from './handler-host.js';
import { HandlerThread, type ThreadEntry } from './handler-thread-slot.js';
import { createTurns } from './take-turns.js';
import { withinTime } from './within-time.js';

/** A handler of Relink's own: it runs beside the service, without a thread. */
export type BuiltInHandler = (
  call: HandlerCall,
  services: HandlerServices,
  signal: AbortSignal,
) => Promise<HandlerAnswer>;

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
  const alone = new Set<HandlerThread>();
  const idleAlone: HandlerThread[] = [];
  const turns = createTurns(threads);

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

  async function runIn(thread: HandlerThread, call: HandlerCall, services: HandlerServices, signal: AbortSignal) {
    const { number, ended } = thread.run(call, services);
    const abort = () => thread.abort(number);
    const timed = { started: thread.started, ended, abort, timeoutMs: call.timeoutMs };
    const { answer, gaveUp } = await withinTime(timed, signal);
    if (gaveUp) thread.giveUp(number);
    return answer;
  }

  async function runAlone(path: string, call: HandlerCall, services: HandlerServices, signal: AbortSignal) {
    const giveBack = await turns.take(signal);
    const thread = idleAlone.filter(idle => idle.isUsable).pop() ?? makeThread(path);
    idleAlone.length = 0;
    alone.add(thread);
    try {
      return await runIn(thread, call, services, signal);
    } finally {
      alone.delete(thread);
      if (thread.isUsable && idleAlone.length === 0) idleAlone.push(thread);
      else void thread.terminate();
      giveBack();
    }
  }

  async function runBuiltIn(
    handler: BuiltInHandler,
    call: HandlerCall,
    services: HandlerServices,
    signal: AbortSignal,
  ): Promise<HandlerAnswer> {
    const own = new AbortController();
    const ended = handler(call, services, own.signal).catch(() =>
      failed('handler_failed', 'the built-in handler failed'),
    );
    const timed = { started: Promise.resolve(), ended, abort: () => own.abort(), timeoutMs: call.timeoutMs };
    return (await withinTime(timed, signal)).answer;
  }

  return {
    async run(call, services, signal) {
      signal.throwIfAborted();
      // Many calls share a worker's signal, which is no leak.
      setMaxListeners(0, signal);
      const watched = watchCredential(services);
      const handler = builtIn.get(call.type);
      const answer =
        handler !== undefined
          ? await runBuiltIn(handler, call, watched.services, signal)
          : modulePath === null
            ? failed('handler_missing', null)
            : call.alone
              ? await runAlone(modulePath, call, watched.services, signal)
              : await runIn(pickShared(modulePath), call, watched.services, signal);
      signal.throwIfAborted();
      // Whatever the handler made of it: without its credential it could not do its work.
      return watched.credentialDied() && answer.kind !== 'done' ? failed('credential_dead', null) : answer;
    },
    close: async () => {
      const living = [...shared, ...worn, ...alone, ...idleAlone];
      await Promise.all(living.map(thread => thread.terminate()));
    },
  };
}

function watchCredential(services: HandlerServices) {
  let died = false;
  const watched: HandlerServices = {
    log: services.log,
    request: async wanted => {
      try {
        return await services.request(wanted);
      } catch (error) {
        if (error instanceof Error && Reflect.get(error, 'code') === 'credential_dead') died = true;
        throw error;
      }
    },
  };
  return { services: watched, credentialDied: () => died };
}

function failed(
  reason: Extract<HandlerAnswer, { kind: 'failed' }>['reason'],
  detail: string | null,
): Extract<HandlerAnswer, { kind: 'failed' }> {
  return { kind: 'failed', reason, detail, retryable: true, retryAfterMs: null };
}
