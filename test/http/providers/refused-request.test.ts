import { setTimeout as sleep } from 'node:timers/promises';
import { RelinkError } from '../../../src/errors.js';
import { HandlerClock } from '../../../src/handlers/handler-clock.js';
import { openRequestStage, type RequestStage, type SceneOptions } from '../../support/request-scene.js';
import { replyJson, type WireProvider } from '../../support/wire-provider.js';
import { canary, rejection } from '../../support/wire-settings.js';

let stage: RequestStage;
let wire: WireProvider;
const setScene = (options?: SceneOptions) => stage.setScene(options);

beforeAll(async () => {
  stage = await openRequestStage();
});
beforeEach(async () => {
  ({ wire } = await stage.openWires());
});
afterEach(() => stage.closeWires());
afterAll(() => stage.close());

describe('a 401', () => {
  const refuse = replyJson(401, { error: 'invalid_token' });

  it('of a credential that the test finds dead ends the call, once for all who met it', async () => {
    let release = () => undefined as void;
    const gate = new Promise<void>(resolve => (release = resolve));
    const scene = await setScene({ outcome: 'refused', onTest: () => gate });
    wire.reply = refuse;
    const calls = Array.from({ length: 20 }, () => rejection(scene.request({ url: '/' })));
    while (wire.requests.length < 20) await new Promise(resolve => setTimeout(resolve, 5));
    release();
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'credential_dead', detail: scene.credentialId });
    }
    expect(scene.tests.count).toBe(1);
  });

  it('that was a stray one does not reach the handlers: each call is made once more', async () => {
    const { request, tests, token } = await setScene({ outcome: 'ok' });
    const seen = new Set<string>();
    wire.reply = (response, given) => {
      const isFirst = !seen.has(given.path);
      seen.add(given.path);
      (isFirst ? refuse : replyJson(200, {}))(response, given);
    };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => request({ url: `/${n}`, method: 'POST', json: { n } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(wire.requests).toHaveLength(20);
    expect(new Set(wire.requests.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${token}`]));
    expect(tests.count).toBe(1);
  });

  it('stops the clock of its handler while the credential is tested, and only then', async () => {
    const scene = await setScene({ outcome: 'refused', onTest: () => sleep(1_200) });
    wire.reply = refuse;
    const clock = new HandlerClock();
    const over = jest.fn();
    clock.start(1_000, over);
    expect(await rejection(scene.request({ url: '/' }, undefined, clock))).toMatchObject({ code: 'credential_dead' });
    expect(over).not.toHaveBeenCalled();
    await sleep(1_100);
    expect(over).toHaveBeenCalledTimes(1);
  });

  it('of one that passes is the answer when it comes again, and is neither tested nor repeated for each call', async () => {
    let now = Date.now();
    const { request, tests } = await setScene({ outcome: 'ok', now: () => now });
    wire.reply = refuse;
    for (let call = 0; call < 3; call += 1) expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(tests.count).toBe(1);
    expect(wire.requests).toHaveLength(4);
    now += 31_000;
    expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(wire.requests).toHaveLength(6);
  });

  it.each(['unreachable', null] as const)('of one whose test ended with %s is retried later', async outcome => {
    const { request, tests } = await setScene({ outcome });
    wire.reply = refuse;
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'provider_unavailable', retryable: true });
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'provider_unavailable' });
    expect(tests.count).toBe(2);
  });

  it('of a credential that is gone is a dead one', async () => {
    const { request } = await setScene({ outcome: 'gone' });
    wire.reply = refuse;
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
  });

  it('of a token that was replaced meanwhile is repeated with the new one', async () => {
    const scene = await setScene({ outcome: 'refused' });
    const fresh = canary('fresh');
    wire.reply = (response, request) => {
      if (request.headers.authorization === `Bearer ${fresh}`) replyJson(200, {})(response, request);
      else void scene.renew(fresh).then(() => refuse(response, request));
    };
    expect(await scene.request({ url: '/', method: 'POST', json: { n: 1 } })).toMatchObject({ status: 200 });
    expect(wire.requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}']);
    expect(scene.tests.count).toBe(0);
  });

  it('of the new token too asks for the test of that one', async () => {
    const scene = await setScene({ outcome: 'refused' });
    let renewed = false;
    wire.reply = (response, request) => {
      const before = renewed ? Promise.resolve() : scene.renew(canary('fresh'));
      renewed = true;
      void before.then(() => refuse(response, request));
    };
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
    expect(wire.requests).toHaveLength(2);
    expect(scene.tests.count).toBe(1);
  });

  it('of a credential that was declared dead meanwhile needs no test', async () => {
    const scene = await setScene();
    wire.reply = (response, request) => void scene.kill().then(() => refuse(response, request));
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
    expect(scene.tests.count).toBe(0);
  });

  it('for a missing scope, where the provider says so, says nothing about the token', async () => {
    const { request, tests } = await setScene({ provider: 'zoho', outcome: 'refused' });
    wire.reply = replyJson(401, { code: 'OAUTH_SCOPE_MISMATCH' });
    expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(tests.count).toBe(0);
  });
});

test('a credential that is known to be dead is not tried', async () => {
  const scene = await setScene();
  await scene.kill();
  expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
  expect(wire.connections).toBe(0);
});

test('a refusal inside a 200 counts where the provider does that', async () => {
  const { request, tests } = await setScene({ provider: 'zoho', outcome: 'refused' });
  wire.reply = replyJson(200, { code: 'INVALID_TOKEN' });
  expect(await rejection(request({ url: '/' }))).toBeInstanceOf(RelinkError);
  expect(tests.count).toBe(1);
});

test('a test that cannot be started is an error, and the next 401 starts another', async () => {
  const { request, tests } = await setScene({ onTest: () => Promise.reject(new RelinkError('temporal_unavailable')) });
  wire.reply = replyJson(401, {});
  expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'temporal_unavailable' });
  expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'temporal_unavailable' });
  expect(tests.count).toBe(2);
});
