import { call, codeOf, type Api } from './start-api.js';
import { startCuttableProxy } from '../../support/cuttable-proxy.js';
import {
  countsOf,
  deliveriesOf,
  die,
  newScene,
  reconnect,
  send,
  sendHubspot,
  startWebhooksApi,
  until,
} from './webhook-scene.js';

let api: Api;
beforeAll(async () => {
  api = await startWebhooksApi();
});
afterAll(() => api.close());
beforeEach(() => {
  api.workflows.isDown = false;
});

const wakesOf = (id: string) => api.workflows.wakes.filter(woken => woken === id).length;
/** Longer than the intake's memory of a gate. */
const forget = () => new Promise(resolve => setTimeout(resolve, 1_050));

describe('an integration in ERROR', () => {
  test('has its deliveries held, wakes nobody for them, and is woken by the reconnect', async () => {
    const scene = await newScene(api);
    await die(api, scene);
    for (let n = 0; n < 5; n += 1) expect((await send(api, scene)).json()).toEqual({ accepted: 1 });
    expect((await deliveriesOf(api, scene)).map(row => row.state)).toEqual(Array.from({ length: 5 }, () => 'queued'));
    expect(wakesOf(scene.id)).toBe(0);
    await reconnect(api, scene);
    expect(wakesOf(scene.id)).toBeGreaterThan(0);
  });

  test('has no line in the log for each of them', async () => {
    const scene = await newScene(api);
    await die(api, scene);
    const before = api.logLines.length;
    for (let n = 0; n < 5; n += 1) expect((await send(api, scene)).statusCode).toBe(200);
    // Past the look at the gate that they share.
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(api.logLines.slice(before)).toEqual([]);
  });

  test('whose type does not hold has them discarded before the answer, each with its reason', async () => {
    const scene = await newScene(api, 'strict');
    await die(api, scene);
    const before = await countsOf(api, 'attio');
    const answers = await Promise.all(Array.from({ length: 30 }, () => send(api, scene)));
    expect(answers.map(answer => answer.statusCode)).toEqual(answers.map(() => 200));
    expect(await deliveriesOf(api, scene)).toEqual(
      answers.map(() => expect.objectContaining({ state: 'discarded', reason: 'integration_in_error' }) as object),
    );
    expect((await countsOf(api, 'attio'))['discarded']).toBe((before['discarded'] ?? 0) + 30);
    expect(wakesOf(scene.id)).toBe(0);
  });
});

test('a DISABLED integration has them discarded, and keeps what was held before', async () => {
  const scene = await newScene(api);
  await die(api, scene);
  await send(api, scene, { deliveryId: 'held' });
  await call(api, 'ann', 'PATCH', scene.path, { status: 'DISABLED' });
  await send(api, scene, { deliveryId: 'late' });
  await until(async () => (await deliveriesOf(api, scene)).some(row => row.state !== 'queued'));
  expect(await deliveriesOf(api, scene)).toMatchObject([
    { externalId: 'held', state: 'queued' },
    { externalId: 'late', state: 'discarded', reason: 'integration_disabled' },
  ]);
  expect(wakesOf(scene.id)).toBe(0);
});

describe('an integration whose type this process does not know', () => {
  test('has them held, at its own address and at that of the app, and one warning names the type', async () => {
    const [own, other, shared] = [await newScene(api), await newScene(api), await newScene(api, 'inbox', 'hubspot')];
    const stranger = await api.startProcess({ types: [] });
    try {
      for (const scene of [own, own, other]) expect((await send(stranger, scene)).json()).toEqual({ accepted: 1 });
      const events = [{ eventId: 1, portalId: shared.account }];
      expect((await sendHubspot(stranger, events)).json()).toEqual({ accepted: 1 });
    } finally {
      await stranger.close();
    }
    expect((await deliveriesOf(api, own)).map(row => row.state)).toEqual(['queued', 'queued']);
    expect((await deliveriesOf(api, shared)).map(row => row.state)).toEqual(['queued']);
    expect(stranger.workflows.wakes).toEqual([]);
    const told = stranger.logLines.filter(line => line.includes('no such type is defined here'));
    expect(told).toEqual([expect.stringMatching(`${own.id}.*the type inbox`)]);
  });

  test('has them discarded while it is DISABLED, like any other', async () => {
    const scene = await newScene(api);
    await call(api, 'ann', 'PATCH', scene.path, { status: 'DISABLED' });
    const stranger = await api.startProcess({ types: [] });
    try {
      expect((await send(stranger, scene)).json()).toEqual({ accepted: 1 });
    } finally {
      await stranger.close();
    }
    expect(await deliveriesOf(api, scene)).toMatchObject([{ state: 'discarded', reason: 'integration_disabled' }]);
  });
});

describe('a status that flips while the intake still remembers the one before', () => {
  test('to ENABLED: what was stored after the release is woken for', async () => {
    const scene = await newScene(api);
    await die(api, scene);
    await send(api, scene);
    await reconnect(api, scene);
    const before = wakesOf(scene.id);
    await send(api, scene);
    await until(() => wakesOf(scene.id) > before);
  });

  test('to ERROR: what was stored is kept, and its wake finds it held', async () => {
    const scene = await newScene(api);
    await send(api, scene);
    await die(api, scene);
    expect((await send(api, scene)).json()).toEqual({ accepted: 1 });
    expect((await deliveriesOf(api, scene)).map(row => row.state)).toEqual(['queued', 'queued']);
  });

  test('to ERROR and back many times: every delivery is either discarded or followed by a wake', async () => {
    const scene = await newScene(api, 'strict');
    let flipping = true;
    const flip = (async () => {
      for (let open = 0; flipping; open = 1 - open) {
        await api.query('UPDATE integrations SET intent = $2, status = $3, version = version + 1 WHERE id = $1', [
          scene.id,
          open === 1 ? 'on' : 'paused',
          open === 1 ? 'ENABLED' : 'DISABLED',
        ]);
      }
    })();
    for (let n = 0; n < 40; n += 1) {
      const before = wakesOf(scene.id);
      expect((await send(api, scene, { deliveryId: `d-${n}` })).statusCode).toBe(200);
      const last = (await deliveriesOf(api, scene)).at(-1);
      if (last?.state === 'queued') await until(() => wakesOf(scene.id) > before);
      else expect(last).toMatchObject({ state: 'discarded', reason: 'integration_disabled' });
    }
    flipping = false;
    await flip;
  }, 90_000);

  test('to gone: what was stored in that moment is woken for, and later ones are refused', async () => {
    const scene = await newScene(api);
    await send(api, scene);
    await api.query('DELETE FROM integration_entities WHERE integration_id = $1', [scene.id]);
    await api.query('DELETE FROM integrations WHERE id = $1', [scene.id]);
    expect((await send(api, scene)).statusCode).toBe(200);
    await until(() => wakesOf(scene.id) > 0);
    await forget();
    expect(codeOf(await send(api, scene))).toBe('webhooks_not_expected');
  });
});

test('switching on opens the gate: since when it was closed is noted in the same write, and it is woken', async () => {
  const scene = await newScene(api, 'subscribing');
  await until(() => wakesOf(scene.id) === 1);
  await call(api, 'ann', 'PATCH', scene.path, { status: 'DISABLED' });
  const [{ since } = {}] = await api.query('SELECT status_since AS since FROM integrations WHERE id = $1', [scene.id]);
  await call(api, 'ann', 'PATCH', scene.path, { status: 'ENABLED' });
  expect(await api.query('SELECT resume_since FROM integrations WHERE id = $1', [scene.id])).toEqual([
    { resume_since: since },
  ]);
  await until(() => wakesOf(scene.id) === 2);
});

test('Temporal away: accepted as before, one line in the log, and all are woken for once it is back', async () => {
  const scenes = await Promise.all(['ann', 'bob', 'cid'].map(user => newScene(api, 'inbox', 'attio', user)));
  api.workflows.isDown = true;
  const before = api.logLines.length;
  for (const scene of [...scenes, ...scenes, ...scenes]) expect((await send(api, scene)).statusCode).toBe(200);
  const lines = () => api.logLines.slice(before);
  await until(() => lines().length > 0);
  expect(lines()).toEqual([expect.stringContaining('Temporal cannot be reached')]);
  expect(scenes.map(scene => wakesOf(scene.id))).toEqual([0, 0, 0]);
  api.workflows.isDown = false;
  await until(() => scenes.every(scene => wakesOf(scene.id) > 0));
  expect(lines()).toEqual([
    expect.stringContaining('Temporal cannot be reached'),
    expect.stringContaining('Temporal is back'),
  ]);
});

test('many webhooks of one integration are few wakes, the last of them after the last commit', async () => {
  const scene = await newScene(api);
  for (let n = 0; n < 10; n += 1) await Promise.all(Array.from({ length: 10 }, () => send(api, scene)));
  const during = wakesOf(scene.id);
  await new Promise(resolve => setTimeout(resolve, 600));
  expect(during).toBeLessThan(20);
  expect(wakesOf(scene.id)).toBeLessThanOrEqual(during + 1);
});

test('database away: 503 with Retry-After and never a 2xx; taken in again once it is back', async () => {
  const proxy = await startCuttableProxy(api.databaseUrl);
  const process = await api.startProcess({ databaseUrl: proxy.url });
  const scene = await newScene(api);
  try {
    expect((await send(process, scene)).statusCode).toBe(200);
    await proxy.cut();
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(process, scene)));
    for (const answer of answers) {
      expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'database_unavailable']);
      expect(answer.headers['retry-after']).toBe('1');
    }
    await forget();
    expect((await send(process, scene)).statusCode).toBe(503);
    expect(await deliveriesOf(api, scene)).toHaveLength(1);
    await proxy.mend();
    await until(async () => (await send(process, scene)).statusCode === 200);
  } finally {
    await process.close();
    await proxy.close();
  }
});

test('a database that falls while the look-ups of a batch are under way ends nothing but that webhook', async () => {
  const proxy = await startCuttableProxy(api.databaseUrl);
  const process = await api.startProcess({ databaseUrl: proxy.url });
  try {
    await proxy.cut();
    const answer = await sendHubspot(process, [
      { eventId: 1, portalId: 'a' },
      { eventId: 2, portalId: 'b' },
    ]);
    expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'database_unavailable']);
  } finally {
    await process.close();
    await proxy.close();
  }
});

test('a batch that cannot be stored is answered 503 too, and stored whole when it comes again', async () => {
  const proxy = await startCuttableProxy(api.databaseUrl);
  const process = await api.startProcess({ databaseUrl: proxy.url });
  const scene = await newScene(api);
  const batch = { deliveryId: 'b', body: '{"events":[{"a":1},{"b":2}]}' };
  try {
    // The integration is remembered from this one: only the stores of the batch fail.
    expect((await send(process, scene)).statusCode).toBe(200);
    await proxy.cut();
    const answer = await send(process, scene, batch);
    expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'database_unavailable']);
    await proxy.mend();
    await until(async () => (await send(process, scene, batch)).statusCode === 200);
    expect((await deliveriesOf(api, scene)).slice(1).map(row => row.externalId)).toEqual(['b/0', 'b/1']);
  } finally {
    await process.close();
    await proxy.close();
  }
});

test('database silent: no more is taken in than there is room for, and what was taken in is stored once it answers', async () => {
  const proxy = await startCuttableProxy(api.databaseUrl);
  const process = await api.startProcess({ databaseUrl: proxy.url });
  const scene = await newScene(api);
  const body = Buffer.alloc(1_040_000, 'x');
  try {
    expect((await send(process, scene)).statusCode).toBe(200);
    proxy.silence();
    const waiting = Array.from({ length: 33 }, () => send(process, scene, { body }));
    await new Promise(resolve => setTimeout(resolve, 200));
    const refused = await send(process, scene);
    expect([refused.statusCode, codeOf(refused)]).toEqual([503, 'database_unavailable']);
    expect(refused.headers['retry-after']).toBe('1');
    proxy.resume();
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(answer => answer.statusCode))).toEqual(new Set([200]));
    expect(await deliveriesOf(api, scene)).toHaveLength(34);
    expect((await send(process, scene)).statusCode).toBe(200);
  } finally {
    await process.close();
    await proxy.close();
  }
});
