import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { HandlerContext, HandlerLog, ProviderResponse } from '../integrations/handler-context.js';
import { loadIntegrations, type IntegrationCatalogue } from '../integrations/load-integrations.js';
import { keepScalars } from './keep-scalars.js';
import { runHandler } from './run-handler.js';
import type { ThreadData, ThreadMessage, ToThread } from './thread-messages.js';

/** The inside of a handler thread: loads the adopter's module and runs its hooks. Holds no token and no connection. */
const { modulePath, memoryBytes } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error('handler-thread runs in a worker thread only');

/** What one call may write; the rest is dropped, so that a loop of log lines does not fill the service's memory. */
const maxLogLines = 1_000;

const running = new Map<number, AbortController>();
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
    case 'abort':
      running.get(message.call)?.abort(new Error('The time is up, or the worker stops'));
      return;
    case 'response': {
      const waiter = waiting.get(message.request);
      waiting.delete(message.request);
      if (message.response !== null) waiter?.resolve(message.response);
      else waiter?.reject(Object.assign(new Error(message.message), { name: 'RelinkError', code: message.code }));
      return;
    }
    case 'run':
      void run(message, catalogue);
  }
}

async function run(
  { call, type, task, facts }: Extract<ToThread, { kind: 'run' }>,
  catalogue: IntegrationCatalogue,
): Promise<void> {
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
    ...facts,
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
  say({ kind: 'ended', call, answer });
}

/** The body crosses as plain bytes; handlers get the Buffer that they expect of Node. */
function restoreBody(task: Extract<ToThread, { kind: 'run' }>['task']): typeof task {
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
