/**
 * Integration types for the tests, as an adopter would write them. Each delivery's body says what its handler does; what
 * happened is appended to the file that the config names, since handlers run in threads of their own.
 */
const { appendFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { z } = require('zod');

class HandlerError extends Error {
  name = 'HandlerError';
  constructor(message, options = {}) {
    super(message);
    Object.assign(this, options);
  }
}

const record = (context, line) => appendFileSync(context.config.file, `${JSON.stringify(line)}\n`);

async function onWebhook(delivery, context) {
  const body = JSON.parse(Buffer.from(delivery.body).toString('utf8'));
  const line = { n: body.n, key: context.idempotencyKey, attempt: context.attempt, integration: context.integrationId };
  record(context, { ...line, event: 'begin' });
  if (body.waitMs !== undefined) await sleep(body.waitMs);
  switch (body.do) {
    case 'throw':
      throw new Error('with a token in its message: secret-of-the-handler');
    case 'throw-until':
      if (context.attempt < body.attempt)
        throw new HandlerError(`not before attempt ${body.attempt}`, { retryAfterMs: 50 });
      break;
    case 'refuse':
      throw new HandlerError('this will never work', { retryable: false });
    case 'hang':
      await new Promise(() => setInterval(() => undefined, 1000));
      break;
    case 'busy':
      for (;;);
    case 'exit':
      process.exit(1);
      break;
    case 'exit-then-throw':
      if (context.attempt < 3) process.exit(1);
      throw new Error('not this time');
    case 'flood': {
      const kept = [];
      for (;;) kept.push(new Array(100_000).fill(Math.random()));
    }
    case 'reject':
      void Promise.reject(new Error('nobody waits for this'));
      await sleep(1000);
      break;
    case 'request': {
      const { status } = await context.request({ url: '/identity' });
      line.status = status;
      break;
    }
    default:
  }
  context.log.info(`handled ${body.n}`);
  record(context, { ...line, event: 'end' });
  return { garbage: Symbol.iterator.toString() };
}

const type = (name, more = {}) => ({
  type: name,
  name,
  providers: 'any',
  config: z.object({ file: z.string(), subscription: z.string().optional(), reconnected: z.string().optional() }),
  webhooks: { timeoutMs: 1500, maxAttempts: 3, ...more.webhooks },
  onWebhook,
  ...more.hooks,
});

async function onReconnected(context, { since }) {
  record(context, { event: 'reconnected', since: since.toISOString() });
  if (context.config.reconnected === 'fail') throw new HandlerError('the provider keeps no history');
  if (context.config.reconnected === 'slow') await sleep(1_000);
}

module.exports = {
  integrations: [
    type('recorder'),
    type('patient', { webhooks: { timeoutMs: 20_000 } }),
    type('overtaking', { webhooks: { order: 'none', concurrency: 4 } }),
    type('discarding', { webhooks: { whileInError: 'discard' } }),
    type('lingering', {
      webhooks: { timeoutMs: 20_000 },
      hooks: {
        async ensureSubscription(context) {
          record(context, { event: 'ensure', url: context.webhookUrl });
          await sleep(15_000);
          return null;
        },
      },
    }),
    type('subscribing', {
      hooks: {
        async ensureSubscription(context) {
          record(context, { event: 'ensure', url: context.webhookUrl });
          if (context.config.subscription === 'fail') throw new HandlerError('the provider wants a payment first');
          if (context.config.subscription === 'nul') throw new HandlerError('no \0 in here');
          if (context.config.subscription === 'garbage') return { secrets: 'none' };
          if (context.config.subscription === 'nothing') return null;
          const expiresAt = new Date(Date.now() + 3_600_000);
          if (context.config.subscription === 'no-secrets') return { secrets: [], expiresAt };
          if (context.config.subscription === 'slow-no-secrets') {
            await sleep(500);
            return { secrets: [], expiresAt };
          }
          if (context.config.subscription === 'slow') {
            await sleep(500);
            return { secrets: ['late-secret'], expiresAt };
          }
          return { secrets: ['subscription-secret'], expiresAt };
        },
        onReconnected,
      },
    }),
    type('resuming', { hooks: { onReconnected } }),
  ],
};
