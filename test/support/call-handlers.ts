import { join } from 'node:path';
import type { BuiltInHandler } from '../../src/handlers/built-in-turn.js';
import { createHandlerHost, type HandlerHostSettings } from '../../src/handlers/create-handler-host.js';
import type {
  HandlerAnswer,
  HandlerCall,
  HandlerHost,
  HandlerServices,
  HandlerTurn,
} from '../../src/handlers/handler-host.js';
import type { ProviderRequest } from '../../src/integrations/handler-context.js';
import { handlerEntry } from './handler-entry.js';

export interface LoggedLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Callers {
  readonly host: HandlerHost;
  readonly lines: LoggedLine[];
  readonly requests: ProviderRequest[];
  /** Runs `trouble` with this body, or another type and task. */
  run(body: Record<string, unknown>, more?: Partial<HandlerCall>, signal?: AbortSignal): Promise<HandlerAnswer>;
  /** Runs several in one turn; collects what `onAnswer` was told. */
  runInTurn(
    bodies: readonly Record<string, unknown>[],
    more?: Partial<HandlerTurn> & { readonly call?: Partial<HandlerCall> },
    signal?: AbortSignal,
  ): Promise<{ readonly ended: number; readonly answers: readonly HandlerAnswer[] }>;
}

/** A handler host over the types of troublemaker.cjs, and the services its calls are given. */
export function callHandlers(
  settings: Partial<Omit<HandlerHostSettings, 'builtIn'>> & {
    readonly builtIn?: Record<string, BuiltInHandler>;
    readonly request?: HandlerServices['request'];
  } = {},
): Callers {
  const { builtIn = {}, request, ...others } = settings;
  const host = createHandlerHost({
    modulePath: join(__dirname, 'handlers/troublemaker.cjs'),
    threads: 2,
    memoryMb: 64,
    entry: handlerEntry,
    ...others,
    builtIn: new Map(Object.entries(builtIn)),
  });
  const lines: LoggedLine[] = [];
  const requests: ProviderRequest[] = [];
  const services: HandlerServices = {
    log: {
      info: (message, fields = {}) => void lines.push({ level: 'info', message, fields }),
      warn: (message, fields = {}) => void lines.push({ level: 'warn', message, fields }),
    },
    request: async (wanted, clock) => {
      requests.push(wanted);
      return request === undefined ? { status: 200, headers: {}, text: '{}' } : await request(wanted, clock);
    },
  };
  return {
    host,
    lines,
    requests,
    run: (body, more = {}, signal = new AbortController().signal) =>
      host.run({ ...describeCall(body), ...more }, services, signal),
    async runInTurn(bodies, { call, ...more } = {}, signal = new AbortController().signal) {
      const calls = bodies.map(body => ({ ...describeCall(body), ...call }));
      const answers: HandlerAnswer[] = [];
      const onAnswer = (index: number, answer: HandlerAnswer) => {
        if (index !== answers.length) throw new Error('an answer came out of order');
        answers.push(answer);
      };
      const turn = { calls, onBegin: () => Promise.resolve(Date.now() + 60_000), onAnswer, ...more };
      const ended = await host.runInTurn(turn, services, signal);
      return { ended, answers };
    },
  };
}

export function describeCall(body: Record<string, unknown>): HandlerCall {
  return {
    type: 'trouble',
    task: {
      kind: 'webhook',
      delivery: {
        id: 'delivery-1',
        provider: 'sandbox',
        externalId: 'external-1',
        receivedAt: '2026-11-24T00:00:00.000Z',
        headers: { 'content-type': 'application/json' },
        // From Node's pool, as bodies out of the database are.
        body: Buffer.from(JSON.stringify(body)),
      },
    },
    facts: {
      integrationId: 'integration-1',
      userId: 'user-1',
      entities: [],
      config: { color: 'red' },
      webhookUrl: 'https://relink.test/api/webhooks/sandbox/integration-1',
      idempotencyKey: 'delivery-1',
      attempt: 3,
    },
    timeoutMs: 20_000,
    alone: false,
  };
}
