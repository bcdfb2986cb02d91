import type { RefreshAnswer } from '../../../src/temporal/workflow-starter.js';
import { noon } from '../../contract/fixtures.js';
import { openRequestStage, type RequestStage, type SceneOptions } from '../../support/request-scene.js';
import { replyJson, type WireProvider, type WireReply } from '../../support/wire-provider.js';
import { rejection } from '../../support/wire-settings.js';

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

describe('a token that can be refreshed', () => {
  const refuse = replyJson(401, { error: 'invalid_token' });
  const minutes = (count: number) => new Date(Date.now() + count * 60_000);
  /** The API takes the new token and refuses the old one. */
  const takeFresh: WireReply = (response, request) =>
    (request.headers.authorization?.endsWith('-fresh') ? replyJson(200, {}) : refuse)(response, request);
  const authorizations = () => wire.requests.map(({ headers }) => headers.authorization);

  it('and is refused is refreshed once for all callers, who call again with the new one', async () => {
    const scene = await setScene({ refresh: 'refreshed' });
    wire.reply = takeFresh;
    const answers = await Promise.all(Array.from({ length: 30 }, () => scene.request({ url: '/' })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    expect(scene.refreshes.count).toBe(1);
    expect(scene.tests.count).toBe(0);
  });

  it('is not refreshed again for an endpoint that refuses the new one too: the identity call decides from then on', async () => {
    const scene = await setScene({ refresh: 'refreshed', outcome: 'ok' });
    wire.reply = refuse;
    expect(await scene.request({ url: '/scope/1' })).toMatchObject({ status: 401 });
    expect(authorizations()).toEqual([`Bearer ${scene.token}`, `Bearer ${scene.token}-fresh`]);
    for (let call = 0; call < 20; call += 1) {
      expect(await scene.request({ url: `/scope/${call}` })).toMatchObject({ status: 401 });
    }
    expect(scene.refreshes.count).toBe(1);
    expect(scene.tests.count).toBe(1);
    expect(await stage.store.getCredential(scene.credentialId)).toMatchObject({ authIsValid: true, generation: 2 });
  });

  it('and was replaced in the store meanwhile costs no refresh', async () => {
    const scene = await setScene({ refresh: 'refreshed' });
    wire.reply = takeFresh;
    await scene.request({ url: '/' });
    await scene.renew(`${scene.token}-second-fresh`);
    wire.reply = (response, request) =>
      (request.headers.authorization?.endsWith('-second-fresh') ? replyJson(200, {}) : refuse)(response, request);
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(scene.refreshes.count).toBe(1);
  });

  it.each<[RefreshAnswer, Record<string, unknown>]>([
    [{ outcome: 'timed_out' }, { code: 'refresh_pending', retryable: true, retryAfterMs: 2_000 }],
    [{ outcome: 'dead' }, { code: 'credential_dead' }],
    [{ outcome: 'gone' }, { code: 'credential_dead' }],
    [{ outcome: 'operator_fault' }, { code: 'refresh_pending', retryAfterMs: 60_000 }],
  ])('and whose refresh ends with %j ends the call', async (refresh, expected) => {
    const scene = await setScene({ refresh });
    wire.reply = refuse;
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject(expected);
    expect(wire.requests).toHaveLength(1);
  });

  it('and whose product has its client rejected is used while it lives, and then held', async () => {
    const retryAt = minutes(15);
    const scene = await setScene({
      refresh: { outcome: 'operator_fault' },
      expiresAt: minutes(30),
      refreshDueAt: retryAt,
    });
    const verdict = { code: 'client_rejected', httpStatus: 401, since: noon } as const;
    await stage.store.markCredentialInvalid(scene.credentialId, 1, verdict, noon);
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    wire.reply = refuse;
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'client_rejected' });
    // The sweep is not due yet.
    expect(scene.refreshes.count).toBe(0);
  });

  it('and looks ended whatever is brought is refreshed once: its 401 decides', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(-1), freshExpiresAt: minutes(-1) });
    for (let call = 0; call < 5; call += 1) expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(scene.refreshes.count).toBe(1);
    expect(new Set(authorizations())).toEqual(new Set([`Bearer ${scene.token}-fresh`]));
    wire.reply = refuse;
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 401 });
    expect(scene.refreshes.count).toBe(2);
  });

  it('and waits for its provider says for how long', async () => {
    const retryAt = minutes(5).toISOString();
    const scene = await setScene({ refresh: { outcome: 'pending', retryAt } });
    wire.reply = refuse;
    const error = await rejection(scene.request({ url: '/' }));
    expect(error.code).toBe('refresh_pending');
    expect(error.retryAfterMs).toBeGreaterThan(4 * 60_000);
  });

  it('and has ended is refreshed before the request', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(-1) });
    await scene.request({ url: '/', method: 'POST', json: {} });
    expect(authorizations()).toEqual([`Bearer ${scene.token}-fresh`]);
  });

  it('and has ended is not sent while no new one is to be had', async () => {
    const scene = await setScene({ refresh: { outcome: 'timed_out' }, expiresAt: minutes(-1) });
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'refresh_pending' });
    expect(wire.connections).toBe(0);
  });

  it('and is due is used while it is refreshed', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(10), refreshDueAt: minutes(-1) });
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(authorizations()).toEqual([`Bearer ${scene.token}`]);
    while ((await stage.store.getCredential(scene.credentialId))?.generation !== 2) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(scene.refreshes.count).toBe(1);
  });

  it('works with a clock that is ten minutes ahead or behind', async () => {
    // Ahead: a token that lives counts as ended, and is refreshed once, though the new one looks ended as well.
    const ahead = await setScene({
      refresh: 'refreshed',
      expiresAt: minutes(5),
      freshExpiresAt: minutes(5),
      now: () => Date.now() + 10 * 60_000,
    });
    for (let call = 0; call < 3; call += 1) expect(await ahead.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(ahead.refreshes.count).toBe(1);
    // Behind: one that has ended counts as alive, is refused, and then refreshed.
    const behind = await setScene({
      refresh: 'refreshed',
      expiresAt: minutes(-5),
      now: () => Date.now() - 10 * 60_000,
    });
    wire.reply = takeFresh;
    for (let call = 0; call < 3; call += 1) expect(await behind.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(behind.refreshes.count).toBe(1);
  });
});
