/** Integration types for the tests whose handlers do what each delivery's body says: much of it nobody should. */
const { readFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { parentPort } = require('node:worker_threads');
const { z } = require('zod');

class HandlerError extends Error {
  name = 'HandlerError';
  constructor(message, options = {}) {
    super(message);
    Object.assign(this, options);
  }
}

const floods = {
  objects() {
    const kept = [];
    for (;;) kept.push({ a: 1, b: [1, 2, 3] });
  },
  arrays() {
    const kept = [];
    for (;;) kept.push(new Array(30_000_000).fill(1));
  },
  map() {
    const kept = new Map();
    for (let i = 0; ; i += 1) kept.set(i % 16_000_000, i);
  },
  properties() {
    const kept = {};
    for (let i = 0; ; i += 1) kept[`k${i}`] = i;
  },
  spread() {
    let kept = [1];
    for (;;) kept = [...kept, ...kept];
  },
  buffers() {
    const kept = [];
    for (;;) kept.push(Buffer.alloc(10_000_000, 1));
  },
  async laterBuffers() {
    const kept = [];
    for (;;) {
      kept.push(Buffer.alloc(10_000_000, 1));
      await sleep(1);
    }
  },
  async laterObjects() {
    const kept = [];
    for (;;) {
      for (let i = 0; i < 100_000; i += 1) kept.push({ i });
      await sleep(1);
    }
  },
  messages(context) {
    for (;;) context.log.info('x'.repeat(1000));
  },
};

/** What handlers left behind when they returned. */
const left = [];

const actions = {
  nothing: () => undefined,
  wait: async ({ ms }) => void (await sleep(ms)),
  burn({ ms }) {
    const until = Date.now() + ms;
    while (Date.now() < until);
  },
  throw() {
    throw new TypeError('with a secret in its message');
  },
  throwText() {
    throw 'a text';
  },
  throwFrozen() {
    const error = new Error('x');
    Object.defineProperty(error, 'name', {
      get() {
        throw new Error('even its name throws');
      },
    });
    throw error;
  },
  throwNamed() {
    throw Object.assign(new Error('x'), { name: 'a secret in its name' });
  },
  refuse({ message, ...options }) {
    throw new HandlerError(message, options);
  },
  hang: () => new Promise(() => setInterval(() => undefined, 1000)),
  obey: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  finishOnAbort: (_, { signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
  busy() {
    for (;;);
  },
  exit: () => process.exit(0),
  abort: () => process.abort(),
  async uncaught() {
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
    await sleep(5000);
  },
  async unhandled() {
    void Promise.reject(new Error('nobody waits for this'));
    await sleep(5000);
  },
  flood: ({ how }, context) => floods[how](context),
  keep: ({ mb }) => void left.push(Buffer.alloc(mb * 1_000_000, 1)),
  keepOn: ({ mb, everyMs }) => void setInterval(() => actions.keep({ mb }), everyMs),
  loopSoon: ({ ms }) => void setTimeout(actions.busy, ms),
  async churn({ ms }) {
    const text = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'some text', list: [1, 2, 3] })));
    const until = Date.now() + ms;
    while (Date.now() < until) {
      JSON.parse(text);
      Buffer.alloc(5_000_000, 1);
      await sleep(0);
    }
  },
  async log(_, { log }) {
    log.info('plain', { text: 'x'.repeat(2000), count: 1, flag: true, none: null, nested: { a: 1 }, run: () => 1 });
    log.warn('y'.repeat(2000));
    log.info({ toString: () => 'not a text' });
  },
  async talk(_, { log }) {
    for (let i = 0; i < 5_000; i += 1) log.info(`line ${i}`);
  },
  async junk() {
    for (const message of [
      null,
      'text',
      { kind: 'ended' },
      { kind: 'ended', call: 1, answer: { kind: 'done' } },
      { kind: 'x' },
    ])
      parentPort.postMessage(message);
    parentPort.postMessage({ kind: 'log', call: 1, level: 'fatal', message: 'x', fields: {} });
    await sleep(50);
  },
  async request({ wanted }, context) {
    const { status } = await context.request(wanted);
    context.log.info(`answered ${status}`);
  },
  async requestBadly(_, { request }) {
    await request({ url: '/', json: () => 1 });
  },
  async requestAndForget({ wanted }, context) {
    await context.request(wanted).catch(() => undefined);
    throw new HandlerError('something else', { retryable: false });
  },
  async requestAndHang({ wanted }, context) {
    await context.request(wanted).catch(() => undefined);
    await actions.hang();
  },
  async requestOnAbort({ wanted }, context) {
    await new Promise(resolve => context.signal.addEventListener('abort', resolve));
    await sleep(400);
    await context.request(wanted);
  },
  look(_, context, delivery) {
    context.log.info('seen', {
      environment: Object.keys(process.env).length,
      isBuffer: Buffer.isBuffer(delivery.body),
      backing: delivery.body.buffer.byteLength,
      length: delivery.body.length,
      key: context.idempotencyKey,
      attempt: context.attempt,
      header: delivery.headers['content-type'],
      color: context.config.color,
    });
  },
  say: ({ text }, { log }) => void log.info(text),
  spoilConfig(_, { config, log }) {
    log.info(String(config.color));
    config.color = 'spoilt';
  },
  readFile: ({ path }) => void readFileSync(path),
};

async function onWebhook(delivery, context) {
  const { do: name, ...body } = JSON.parse(delivery.body.toString());
  return (await actions[name](body, context, delivery)) ?? { garbage: () => 1 };
}

const base = { providers: 'any', config: z.object({}) };

module.exports = {
  integrations: [
    { ...base, type: 'trouble', name: 'Trouble', onWebhook },
    { ...base, type: 'bare', name: 'Without handlers' },
    {
      ...base,
      type: 'subscribing',
      name: 'Subscribing',
      async ensureSubscription({ config }) {
        switch (config.answer) {
          case 'good':
            return { secrets: ['newest', 'older'], expiresAt: new Date('2030-01-02T03:04:05Z'), more: () => 1 };
          case 'nothing':
            return undefined;
          case 'text':
            return 'subscribed';
          case 'date':
            return { secrets: [], expiresAt: '2030-01-02' };
          case 'yearTooHigh':
            return { secrets: [], expiresAt: new Date(Date.UTC(2030, 0, 2) * 1000) };
          case 'yearTooLow':
            return { secrets: [], expiresAt: new Date(Date.UTC(-1, 0, 2)) };
          default:
            return { secrets: [1], expiresAt: null };
        }
      },
      async onReconnected({ log }, { since }) {
        log.info('made up', { since: since.toISOString() });
      },
    },
  ],
};
