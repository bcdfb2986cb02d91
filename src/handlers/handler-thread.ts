import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { HandlerContext, HandlerLog, ProviderResponse } from '../integrations/handler-context.js';
import { loadIntegrations, type IntegrationCatalogue } from '../integrations/load-integrations.js';
import type { HandlerTask } from './handler-host.js';
import { keepScalars } from './keep-scalars.js';
import { runHandler } from './run-handler.js';
import type { ThreadAnswer, ThreadCall, ThreadData, ThreadMessage, ToThread } from './thread-messages.js';

/** The inside of a handler thread: loads the adopter's module and runs its hooks. Holds no token and no connection. */
const { modulePath, memoryBytes } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error('handler-thread runs in a worker thread only');

/** What one call may write; the rest is dropped, so that a loop of log lines does not fill the service's memory. */
const maxLogLines = 1_000;

/** How long quick handlers may follow each other before the thread hears what was said to it meanwhile. */
const deafForMs = 10;

interface Turn {
  /** Something in it was aborted. */
  isOver: boolean;
}

const running = new Map<number, AbortController>();
const turns = new Map<number, Turn>();
const waiting = new Map<number, { resolve: (response: ProviderResponse) => void; reject: (error: Error) => void }>();
let nextRequest = 1;

const say = (message: ThreadMessage) => port.postMessage(message);

const integrations = load();
if (integrations !== null) {
  port.on('message', (message: ToThread) => hear(message, integrations));
  say({ kind: 'ready' });
}

function load(): IntegrationCatalogue | null {
  try {
    return loadIntegrations(modulePath);
  } catch (error) {
    say({ kind: 'unloadable', detail: error instanceof Error ? error.message.slice(0, 300) : 'it threw' });
    return null;
  }
}

function hear(message: ToThread, catalogue: IntegrationCatalogue): void {
  switch (message.kind) {
    case 'ping':
      say({ kind: 'pong', usedBytes: measure() });
      return;
    case 'abort': {
      const turn = turns.get(message.call);
      if (turn !== undefined) turn.isOver = true;
      running.get(message.call)?.abort(new Error('The time is up, or the worker stops'));
      return;
    }
    case 'response': {
      const waiter = waiting.get(message.request);
      waiting.delete(message.request);
      if (message.response !== null) waiter?.resolve(message.response);
      else waiter?.reject(Object.assign(new Error(message.message), { name: 'RelinkError', code: message.code }));
      return;
    }
    case 'run':
      void takeTurn(message, catalogue);
  }
}

async function takeTurn(
  { type, calls, openUntil }: Extract<ToThread, { kind: 'run' }>,
  catalogue: IntegrationCatalogue,
): Promise<void> {
  const turn: Turn = { isOver: false };
  for (const { call } of calls) turns.set(call, turn);
  let heardAt = performance.now();
  for (const [index, each] of calls.entries()) {
    if (index > 0 && performance.now() - heardAt > deafForMs) {
      await new Promise(resolve => setImmediate(resolve));
      heardAt = performance.now();
    }
    if (index > 0 && (turn.isOver || Date.now() > openUntil)) {
      say({ kind: 'left', call: each.call });
      break;
    }
    const answer = await run(each, type, catalogue);
    say({ kind: 'ended', call: each.call, answer });
    // The host knows by itself that the rest is left.
    if (answer.kind !== 'done') break;
  }
  for (const { call } of calls) turns.delete(call);
}

async function run(
  { call, task, facts }: ThreadCall,
  type: string,
  catalogue: IntegrationCatalogue,
): Promise<ThreadAnswer> {
  const controller = new AbortController();
  running.set(call, controller);
  let lines = 0;
  const log = (level: 'info' | 'warn'): HandlerLog['info'] => {
    return (message, fields = {}) => {
      lines += 1;
      if (lines <= maxLogLines)
        say({ kind: 'log', call, level, message: String(message), fields: keepScalars(fields) });
    };
  };
  const context: HandlerContext = {
    // Calls that came in one message share their parts, and what one handler does to them must not reach the next.
    ...structuredClone(facts),
    log: { info: log('info'), warn: log('warn') },
    signal: controller.signal,
    request: wanted =>
      new Promise((resolve, reject) => {
        const request = nextRequest++;
        say({ kind: 'request', call, request, wanted });
        waiting.set(request, { resolve, reject });
      }),
  };
  const answer = await runHandler(catalogue.find(type), restoreBody(task), context);
  running.delete(call);
  return answer;
}

/** The body crosses as plain bytes; handlers get the Buffer that they expect of Node. */
function restoreBody(task: HandlerTask): HandlerTask {
  if (task.kind !== 'webhook') return task;
  const { buffer, byteOffset, byteLength } = task.delivery.body;
  return { ...task, delivery: { ...task.delivery, body: Buffer.from(buffer, byteOffset, byteLength) } };
}

let collectGarbage: (() => void) | undefined;

/** Bytes in use, heap and buffers, of this thread alone. What looks like too much is counted again without the garbage. */
function measure(): number {
  const used = countBytes();
  if (used <= memoryBytes) return used;
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  collectGarbage();
  return countBytes();
}

function countBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
