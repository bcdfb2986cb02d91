import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createForwardHandler } from '../../../src/handlers/forward-delivery.js';
import type { HandlerCall } from '../../../src/handlers/handler-host.js';
import { loadIntegrations } from '../../../src/integrations/load-integrations.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { Secret } from '../../../src/vault/secret.js';
import { RelinkError } from '../../../src/errors.js';
import { callHandlers, describeCall } from '../../support/call-handlers.js';
import { deliveriesOf, newScene, send, startWebhooksApi } from '../api/webhook-scene.js';

const examples = join(__dirname, '../../../examples');
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=';

describe('examples/contact-sync', () => {
  const modulePath = join(examples, 'contact-sync/integrations.cjs');
  const facts = { ...describeCall({}).facts, config: { list: 'my list' } };
  const deliver = (body: Buffer | string, provider = 'attio', type = 'contact-mirror'): Partial<HandlerCall> => {
    const { task } = describeCall({});
    if (task.kind !== 'webhook') throw new Error('unreachable');
    return { type, facts, task: { ...task, delivery: { ...task.delivery, provider, body: Buffer.from(body) } } };
  };
  const changed = JSON.stringify({ event_type: 'record.updated', id: { record_id: 'r1' } });
  const runWith = async (status: number, call: Partial<HandlerCall>, text = '') => {
    const callers = callHandlers({ modulePath, request: () => Promise.resolve({ status, headers: {}, text }) });
    try {
      return { answer: await callers.run({}, call), requests: callers.requests, lines: callers.lines };
    } finally {
      await callers.host.close();
    }
  };

  it('is a type that asks for its list', () => {
    const definition = loadIntegrations(modulePath).get('contact-mirror');
    expect(definition.config.safeParse({}).success).toBe(false);
    expect(definition.config.safeParse({ list: 'a' }).success).toBe(true);
  });

  it('puts each person on the list whom a webhook of Attio, as it is taken in, says to have changed', async () => {
    const types = [loadIntegrations(modulePath).get('contact-mirror')];
    const api = await startWebhooksApi({ types });
    const callers = callHandlers({ modulePath });
    try {
      const scene = await newScene(api, 'contact-mirror');
      const events = [
        { event_type: 'record.updated', id: { record_id: 'r1' } },
        { event_type: 'note.created', id: { note_id: 'n1' } },
        { event_type: 'record.created', id: { record_id: 'r2' } },
      ];
      expect((await send(api, scene, { body: JSON.stringify({ webhook_id: 'w', events }) })).statusCode).toBe(200);
      const bodies = (await deliveriesOf(api, scene)).map(({ body }) => body);
      expect(bodies).toHaveLength(3);
      for (const body of bodies)
        expect(await callers.run({}, deliver(body))).toEqual({ kind: 'done', subscription: null });
      expect(callers.requests).toMatchObject(
        ['r1', 'r2'].map(parent_record_id => ({
          method: 'PUT',
          url: '/v2/lists/my%20list/entries',
          json: { data: { parent_record_id, parent_object: 'people' } },
        })),
      );
    } finally {
      await callers.host.close();
      await api.close();
    }
  });

  it('shows on the sandbox, which has no lists, that it was reached', async () => {
    const identity = JSON.stringify({ account_name: 'Acme' });
    const { answer, requests, lines } = await runWith(200, deliver(changed, 'sandbox'), identity);
    expect(answer).toMatchObject({ kind: 'done' });
    expect(requests).toMatchObject([{ url: '/identity' }]);
    expect(lines).toEqual([
      { level: 'info', message: 'contact mirrored', fields: { record: 'r1', list: 'my list', account: 'Acme' } },
    ]);
  });

  it.each([
    [404, { kind: 'done' }],
    [500, { reason: 'handler_failed', detail: 'Attio answered 500', retryable: true }],
  ])('knows what to do about %d', async (status, outcome) => {
    expect((await runWith(status, deliver(changed))).answer).toMatchObject(outcome);
  });

  it('runs again when the provider said', async () => {
    const limited = new RelinkError('rate_limited', 'attio', { retryAfterMs: 90_000 });
    const callers = callHandlers({ modulePath, request: () => Promise.reject(limited) });
    const answer = await callers.run({}, deliver(changed));
    await callers.host.close();
    expect(answer).toMatchObject({ reason: 'handler_failed', detail: 'rate_limited', retryAfterMs: 90_000 });
  });

  it.each(['nonsense', 'null', '"text"'])('gives up on %s, which is no event', async text => {
    expect((await runWith(200, deliver(text))).answer).toMatchObject({ reason: 'handler_refused', retryable: false });
  });

  it('has a second type, whose deliveries overtake one that fails', async () => {
    const { webhooks } = loadIntegrations(modulePath).get('change-feed');
    expect(webhooks).toEqual({ order: 'none', concurrency: 10 });
    const { answer, lines } = await runWith(200, deliver(changed, 'sandbox', 'change-feed'));
    expect(answer).toMatchObject({ kind: 'done' });
    expect(lines).toMatchObject([{ message: 'something changed', fields: { event: 'record.updated' } }]);
    const failed = await runWith(200, deliver('{}', 'sandbox', 'change-feed'));
    expect(failed.answer).toMatchObject({ reason: 'handler_failed', retryable: true });
  });
});

describe('examples/forward', () => {
  let child: ChildProcess;
  let url: string;
  const printed: string[] = [];
  beforeAll(async () => {
    child = spawn(process.execPath, [join(examples, 'forward/receiver.mjs')], {
      env: { FORWARD_SECRET: secret, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('unreachable');
    const lines = createInterface(child.stdout);
    const [line] = (await once(lines, 'line')) as [string];
    url = line.replace('listening on ', '');
    lines.on('line', text => printed.push(text));
  });
  afterAll(async () => {
    child.kill();
    await once(child, 'close');
    await closeProviderConnections();
  });

  const forwardWith = async (text: string, body: Record<string, unknown>) => {
    const forward = createForwardHandler({ secrets: [new Secret(text)], allowLoopback: true });
    const callers = callHandlers({ modulePath: null, builtIn: { forward } });
    const { facts } = describeCall({});
    return await callers.run(body, { type: 'forward', facts: { ...facts, config: { url } } });
  };

  it('verifies, and handles each delivery once', async () => {
    expect(await forwardWith(secret, { n: 1 })).toMatchObject({ kind: 'done' });
    expect(await forwardWith(secret, { n: 1 })).toMatchObject({ kind: 'done' });
    expect(printed).toEqual([JSON.stringify({ id: 'delivery-1', integration: 'integration-1', bytes: 7 })]);
  });

  it('lives on when a request is cut off', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end('POST / HTTP/1.1\r\nhost: receiver\r\ncontent-length: 1000\r\n\r\ncut');
    await once(socket.resume(), 'close');
    expect(await forwardWith(secret, { n: 1 })).toMatchObject({ kind: 'done' });
  });

  it('refuses what somebody else signed', async () => {
    const other = secret.replace('M', 'N');
    expect(await forwardWith(other, { n: 2 })).toMatchObject({ reason: 'destination_refused', detail: 'HTTP 401' });
  });
});
