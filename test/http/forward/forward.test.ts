import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { ConfigError } from '../../../src/errors.js';
import { createForwardHandler, type ForwardSettings } from '../../../src/handlers/forward-delivery.js';
import type { HandlerCall } from '../../../src/handlers/handler-host.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { Secret } from '../../../src/vault/secret.js';
import { callHandlers, describeCall, type Callers } from '../../support/call-handlers.js';
import {
  hang,
  hangMidBody,
  replyText,
  reset,
  startWireProvider,
  type WireProvider,
  type WireReply,
} from '../../support/wire-provider.js';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const newest = newSecret();
const older = newSecret();
const closed = expect.stringMatching(/^connection closed by the other side \(\w+\)$/) as string;
const failure = { kind: 'failed', retryable: true, retryAfterMs: null };

let receiver: WireProvider;
let callers: Callers;

function start(settings: Partial<ForwardSettings> = {}): Callers {
  const forward = createForwardHandler({
    secrets: [new Secret(newest), new Secret(older)],
    allowLoopback: true,
    ...settings,
  });
  return callHandlers({ modulePath: null, builtIn: { forward } });
}

beforeEach(async () => {
  receiver = await startWireProvider(replyText(204, ''));
  callers = start();
});
afterEach(async () => {
  await callers.host.close();
  await receiver.close();
  await closeProviderConnections();
});

interface Forwarding {
  readonly url?: string;
  readonly body?: Buffer;
  readonly headers?: Record<string, string>;
  readonly more?: Partial<HandlerCall>;
}

function forward({ url = `${receiver.origin}/hook?a=b`, body, headers, more }: Forwarding = {}) {
  const { facts, task } = describeCall({ hello: 'wörld' });
  if (task.kind !== 'webhook') throw new Error('unreachable');
  const delivery = { ...task.delivery, ...(body && { body }), ...(headers && { headers }) };
  return callers.run(
    {},
    { type: 'forward', facts: { ...facts, config: { url } }, task: { kind: 'webhook', delivery }, ...more },
  );
}

const signed = (headers: IncomingHttpHeaders) => ({
  'webhook-id': String(headers['webhook-id']),
  'webhook-timestamp': String(headers['webhook-timestamp']),
  'webhook-signature': String(headers['webhook-signature']),
});

describe('what the receiver gets', () => {
  it('is the raw body with its type, the idempotency key, and where it belongs', async () => {
    expect(await forward()).toEqual({ kind: 'done', subscription: null });
    expect(receiver.requests).toMatchObject([
      {
        method: 'POST',
        path: '/hook?a=b',
        body: '{"hello":"wörld"}',
        headers: {
          'content-type': 'application/json',
          'content-length': '18',
          'webhook-id': 'delivery-1',
          'relink-integration-id': 'integration-1',
          'relink-provider': 'sandbox',
          'relink-attempt': '3',
        },
      },
    ]);
  });

  it.each([
    ['newest', newest],
    ['older', older],
  ])('is signed with the %s secret', async (_, secret) => {
    await forward();
    const [request] = receiver.requests;
    if (request === undefined) throw new Error('nothing came');
    const verify = (body: string, id = 'delivery-1') =>
      new Webhook(secret).verify(body, { ...signed(request.headers), 'webhook-id': id });
    expect(verify(request.body)).toEqual({ hello: 'wörld' });
    expect(() => verify(`${request.body} `)).toThrow('No matching signature');
    expect(() => verify(request.body, 'another')).toThrow('No matching signature');
    expect(() => new Webhook(newSecret()).verify(request.body, signed(request.headers))).toThrow();
  });

  it('is signed over its raw bytes also where they are no text', async () => {
    const body = Buffer.from([0, 255, 254, 128, 10, 13]);
    await forward({ body, headers: {} });
    const headers = signed(receiver.requests[0]?.headers ?? {});
    const key = Buffer.from(newest.slice('whsec_'.length), 'base64');
    const hmac = createHmac('sha256', key).update(`delivery-1.${headers['webhook-timestamp']}.`).update(body);
    expect(headers['webhook-signature'].split(' ')[0]).toBe(`v1,${hmac.digest('base64')}`);
    expect(receiver.requests[0]?.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '6',
    });
  });

  it('may be empty', async () => {
    expect(await forward({ body: Buffer.alloc(0) })).toMatchObject({ kind: 'done' });
    expect(receiver.requests).toMatchObject([{ body: '' }]);
  });
});

describe('what the receiver answers', () => {
  const answers: [what: string, reply: WireReply, outcome: object][] = [
    ['200', replyText(200, 'ok'), { kind: 'done' }],
    ['202', replyText(202, ''), { kind: 'done' }],
    ['200 and a book', replyText(200, 'x'.repeat(2_000_000)), { kind: 'done' }],
    ['410', replyText(410, ''), { ...failure, reason: 'handler_refused', retryable: false, detail: 'HTTP 410' }],
    ['400', replyText(400, ''), { ...failure, reason: 'destination_refused', detail: 'HTTP 400' }],
    ['500', replyText(500, ''), { ...failure, reason: 'destination_refused', detail: 'HTTP 500' }],
    [
      '429 with a time',
      replyText(429, '', { 'retry-after': '120' }),
      { ...failure, reason: 'destination_refused', detail: 'HTTP 429', retryAfterMs: 120_000 },
    ],
    [
      '503 until tomorrow',
      replyText(503, '', { 'retry-after': '86400' }),
      { ...failure, reason: 'destination_refused', detail: 'HTTP 503', retryAfterMs: 3_600_000 },
    ],
    ['a reset', reset, { ...failure, reason: 'destination_unreachable', detail: closed }],
  ];
  it.each(answers)('%s', async (_, reply, outcome) => {
    receiver.reply = reply;
    expect(await forward()).toMatchObject(outcome);
    expect(receiver.requests).toHaveLength(1);
  });

  it('nobody there: says so', async () => {
    const { origin } = receiver;
    await receiver.close();
    const answer = await forward({ url: `${origin}/` });
    expect(answer).toMatchObject({
      ...failure,
      reason: 'destination_unreachable',
      detail: 'connection refused (ECONNREFUSED)',
    });
  });

  it('no TLS where an https address says so: says that', async () => {
    const answer = await forward({ url: receiver.origin.replace('http:', 'https:') });
    expect(answer).toMatchObject({
      reason: 'destination_unreachable',
      detail: expect.stringMatching(/^TLS \(E/) as string,
    });
  });

  it.each([301, 302, 307, 308])('%d is not followed', async status => {
    const elsewhere = await startWireProvider();
    receiver.reply = replyText(status, '', { location: `${elsewhere.origin}/` });
    expect(await forward()).toMatchObject({ reason: 'destination_refused', detail: `HTTP ${status}` });
    expect(elsewhere.connections).toBe(0);
    await elsewhere.close();
  });

  it.each([
    ['nothing', hang],
    ['half an answer', hangMidBody],
  ])('%s: the time is bounded', async (_, reply) => {
    receiver.reply = reply;
    const begun = Date.now();
    const answer = await forward({ more: { timeoutMs: 500 } });
    expect(answer).toMatchObject({ ...failure, reason: 'destination_unreachable', detail: 'timeout' });
    expect(Date.now() - begun).toBeLessThan(5_000);
  });
});

describe('where it may go', () => {
  it.each([
    'not a url',
    'ftp://127.0.0.1/',
    'http://example.com/',
    'https://user:password@example.com/',
    'javascript:alert(1)',
  ])('%s: refused before any connection', async url => {
    expect(await forward({ url })).toEqual({
      ...failure,
      reason: 'destination_refused',
      detail: 'config.url must be an https address',
    });
  });

  it.each(['https://10.0.0.1/', 'https://169.254.169.254/latest', 'https://[fd00::1]/', 'https://0.0.0.0/'])(
    '%s: no private network, also in development',
    async url => {
      expect(await forward({ url })).toMatchObject({ reason: 'destination_unreachable', detail: 'address_refused' });
    },
  );

  it('no loopback in production', async () => {
    callers = start({ allowLoopback: false });
    expect(await forward()).toMatchObject({ reason: 'destination_refused' });
    const url = `https://localhost:${new URL(receiver.origin).port}/`;
    expect(await forward({ url })).toMatchObject({ reason: 'destination_unreachable', detail: 'address_refused' });
    expect(receiver.connections).toBe(0);
  });
});

describe('its secrets', () => {
  it('have to be set, and until then it is tried again', async () => {
    callers = start({ secrets: [] });
    const detail = 'RELINK_FORWARD_SECRETS is not set';
    expect(await forward()).toEqual({ ...failure, reason: 'handler_failed', detail });
    expect(receiver.connections).toBe(0);
  });

  it.each([
    'secret',
    'whsec_',
    'whsec_not base64',
    `whsec_${randomBytes(16).toString('base64')}`,
    randomBytes(32).toString('base64'),
  ])('one that is malformed is refused without being shown (%#)', text => {
    const secrets = [new Secret(newest), new Secret(text)];
    const problems = () => createForwardHandler({ secrets, allowLoopback: true });
    expect(problems).toThrow(ConfigError);
    expect(problems).toThrow('RELINK_FORWARD_SECRETS');
    expect(problems).not.toThrow(text === 'whsec_' ? 'whsec_,' : text);
  });
});
