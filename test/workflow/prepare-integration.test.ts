import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/create-activities.js';
import type { WebhookActivities } from '../../src/contracts/delivery-activities.js';
import type { IntegrationId } from '../../src/domain/ids.js';
import type { IntegrationState } from '../../src/domain/integration-state.js';
import { newId } from '../../src/ids.js';
import type { SubscriptionWrite } from '../../src/store/port/store.js';
import { subscriptionSecretsBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import { encodeSecrets } from '../../src/vault/subscription-secrets-codec.js';
import { deadBecauseOf, insertEntity, insertIntegration, later, minute, newUser, ready } from '../contract/fixtures.js';
import { query } from '../support/query.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { recorderModule } from '../support/webhook-user.js';

let stack: TestStack;

/** Without a worker: each step is this test's own. */
beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule });
});
afterAll(() => stack.stop());

type Prepare = WebhookActivities['prepareIntegration'];

const prepare = (integrationId: IntegrationId, heartbeatDetails?: unknown, heard: unknown[] = []) => {
  const { prepareIntegration } = createActivities({ ...stack.core, ...stack.hosts, settings: stack.core.config });
  const environment = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
  // By a timer too, where a step takes long.
  environment.on('heartbeat', details => {
    if (!isDeepStrictEqual(details, heard.at(-1))) heard.push(details);
  });
  return environment.run<Parameters<Prepare>, Awaited<ReturnType<Prepare>>, Prepare>(prepareIntegration, {
    integrationId,
  });
};

interface Scene {
  readonly id: IntegrationId;
  configure(config: Readonly<Record<string, string>>): Promise<void>;
  /** What its hooks recorded. */
  lines(): readonly string[];
}

/** An integration that came back after an hour, its hook for that still to run. */
async function newScene(
  type: string,
  config: Readonly<Record<string, string>> = {},
  resumeSince: Date | null = later(new Date(), -60 * minute),
): Promise<Scene> {
  const { store } = stack.core;
  const userId = newUser();
  const file = join(tmpdir(), `relink-recorded-${randomBytes(6).toString('hex')}.jsonl`);
  const entity = await insertEntity(store, userId);
  const { id } = await insertIntegration(store, userId, [entity.id], { type, config: { file, ...config } });
  const change = async (more: Readonly<Record<string, string>>) => {
    const { version } = (await store.getIntegration(id))!;
    await store.compareAndSetIntegration(
      id,
      version,
      { state: ready, resumeSince, config: { file, ...more } },
      new Date(),
    );
  };
  await change(config);
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return { id, configure: change, lines };
}

async function write(id: IntegrationId, change: Partial<SubscriptionWrite>): Promise<void> {
  const known = (await stack.core.store.getSubscription(id))!;
  await stack.core.store.compareAndSetSubscription(id, known.version, { ...known, ...change });
}

const nothingKept: SubscriptionWrite = { sealedSecrets: null, expiresAt: null, dueAt: new Date(), failure: null };

const secretsOf = async (id: IntegrationId): Promise<unknown> => {
  const { sealedSecrets } = await subscriptionOf(id);
  return JSON.parse(stack.core.vault.open(sealedSecrets!, subscriptionSecretsBinding(id)).reveal());
};

const subscriptionOf = async (id: IntegrationId) => (await stack.core.store.getSubscription(id))!;

it('a failure is written down, whatever its words hold', async () => {
  const { id } = await newScene('subscribing', { subscription: 'nul' }, null);
  expect(await prepare(id)).toEqual({ subscription: 'failed', resumed: false });
  expect((await subscriptionOf(id)).failure).toMatchObject({ detail: 'ensureSubscription: no  in here', tries: 1 });
});

it('what an outage left to make up for stays, while its type is not defined', async () => {
  const { id } = await newScene('no longer defined');
  expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: false });
  expect((await stack.core.store.getIntegration(id))!.resumeSince).not.toBeNull();
});

describe('a hook in the middle of which the worker ends', () => {
  it('is known to the attempts after it, until it returns', async () => {
    const { id } = await newScene('subscribing', {}, null);
    const heard: unknown[] = [];
    await prepare(id, undefined, heard);
    expect(heard).toEqual([{ lostAttempts: 1 }, { lostAttempts: 0 }]);
  });

  it('is tried twice', async () => {
    const { id, lines } = await newScene('subscribing', {}, null);
    const heard: unknown[] = [];
    expect(await prepare(id, { lostAttempts: 1 }, heard)).toEqual({ subscription: 'ensured', resumed: false });
    expect(heard).toEqual([{ lostAttempts: 2 }, { lostAttempts: 1 }]);
    expect(lines()).toHaveLength(1);
  });

  it.each([
    ['subscribing', 'ensureSubscription or onReconnected'],
    ['resuming', 'onReconnected'],
  ])('shows after that as a failure of its integration, and waits (%s)', async (type, hook) => {
    const { id, lines } = await newScene(type);
    await prepare(id, { lostAttempts: 2 });
    const { failure, dueAt } = await subscriptionOf(id);
    expect(failure).toMatchObject({ detail: `${hook}: the worker ended while it ran, 2 times in a row`, tries: 1 });
    expect(dueAt!.getTime()).toBeGreaterThan(Date.now());
    expect(lines()).toEqual([]);
  });
});

describe('a hook for coming back in the middle of which the worker ends', () => {
  /** As the database is when that happens. */
  const duringSecondHook = async (known: Partial<SubscriptionWrite> | null) => {
    const { id, lines } = await newScene('subscribing', { reconnected: 'slow' });
    if (known !== null) await stack.core.store.compareAndSetSubscription(id, 0, { ...nothingKept, ...known });
    const prepared = prepare(id);
    while (lines().length < 2) await sleep(10);
    const then = await subscriptionOf(id);
    expect(await secretsOf(id)).toEqual(['subscription-secret']);
    expect(await prepared).toEqual({ subscription: 'ensured', resumed: true });
    return { then, after: await subscriptionOf(id) };
  };

  it('loses nothing of what the subscription’s hook brought', async () => {
    const { then, after } = await duringSecondHook(null);
    expect(then.dueAt!.getTime()).toBeGreaterThan(Date.now() + 40 * minute);
    expect(after).toEqual(then);
  });

  it('leaves an earlier failure and its wait as they are until it returns', async () => {
    const failure = { detail: 'onReconnected: TypeError', since: later(new Date(), -300 * minute), tries: 8 };
    const dueAt = later(new Date(), -minute);
    const { then, after } = await duringSecondHook({ failure, dueAt });
    expect(then).toMatchObject({ failure, dueAt });
    expect(after.failure).toBeNull();
    expect(after.dueAt!.getTime()).toBeGreaterThan(Date.now() + 40 * minute);
  });

  it('counts on with the tries of both hooks', async () => {
    const { id } = await newScene('subscribing', { reconnected: 'fail' });
    await prepare(id);
    await write(id, { dueAt: new Date() });
    await prepare(id);
    expect((await subscriptionOf(id)).failure).toMatchObject({
      detail: expect.stringMatching(/^onReconnected/) as string,
      tries: 2,
    });
  });
});

describe('a failure of the hook for coming back', () => {
  it('that is over leaves the subscription due to a worker that has the hook for it', async () => {
    const { id, configure } = await newScene('resuming', { reconnected: 'fail' });
    expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: false });
    const failed = await subscriptionOf(id);
    expect(failed.failure?.detail).toBe('onReconnected: the provider keeps no history');
    expect(failed.dueAt!.getTime()).toBeGreaterThan(Date.now());
    await configure({});
    const expiresAt = later(new Date(), 60 * minute);
    const dueAt = later(new Date(), -minute);
    await write(id, { dueAt, expiresAt });
    expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: true });
    expect(await subscriptionOf(id)).toMatchObject({ failure: null, dueAt, expiresAt });
  });

  it('shows until the hook ran, also when a look in between finds nothing due', async () => {
    const { id } = await newScene('resuming', { reconnected: 'fail' });
    await prepare(id);
    expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: false });
    expect((await subscriptionOf(id)).failure).not.toBeNull();
  });
});

describe('a hook that waits after failures, of an integration that was cut off meanwhile', () => {
  const inAnHour = () => later(new Date(), 60 * minute);
  const failure = () => ({
    detail: 'ensureSubscription: TypeError',
    since: later(new Date(), -300 * minute),
    tries: 8,
  });

  it('is tried once more before what was held runs', async () => {
    const { id } = await newScene('subscribing');
    await stack.core.store.compareAndSetSubscription(id, 0, { ...nothingKept, dueAt: inAnHour(), failure: failure() });
    expect(await prepare(id)).toEqual({ subscription: 'ensured', resumed: true });
    expect((await subscriptionOf(id)).failure).toBeNull();
  });

  it('waits as ever after that try, from the shortest wait up', async () => {
    const { id, lines } = await newScene('subscribing', { subscription: 'fail' });
    await stack.core.store.compareAndSetSubscription(id, 0, { ...nothingKept, dueAt: inAnHour(), failure: failure() });
    expect(await prepare(id)).toEqual({ subscription: 'failed', resumed: false });
    const failed = await subscriptionOf(id);
    expect(failed.failure).toMatchObject({ tries: 1 });
    expect(failed.dueAt!.getTime()).toBeLessThan(Date.now() + minute);
    expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: false });
    expect(lines()).toHaveLength(1);
    await write(id, { dueAt: new Date() });
    await prepare(id);
    expect((await subscriptionOf(id)).failure).toMatchObject({ tries: 2, since: failed.failure!.since });
  });

  it('waits also where this clock is behind the one that wrote the status', async () => {
    const { id } = await newScene('subscribing', { subscription: 'fail' });
    const ahead = later(new Date(), minute);
    await query(stack.databaseUrl, 'UPDATE integrations SET status_since = $2 WHERE id = $1', [id, ahead]);
    await prepare(id);
    expect(await prepare(id)).toEqual({ subscription: 'not_due', resumed: false });
  });
});

it('ensures again, at three quarters of what is left of its life, what a type without the hook left behind', async () => {
  const { id } = await newScene('subscribing', {}, null);
  const left = { sealedSecrets: null, expiresAt: later(new Date(), 10 * minute), dueAt: null, failure: null };
  await stack.core.store.compareAndSetSubscription(id, 0, left);
  expect(await prepare(id)).toEqual({ subscription: 'ensured', resumed: false });
  const { dueAt, expiresAt } = await subscriptionOf(id);
  expect(expiresAt!.getTime() - dueAt!.getTime()).toBeCloseTo(15 * minute, -4);
});

describe('a hook that brings no secrets', () => {
  it.each(['nothing', 'no-secrets'])('leaves those that a handshake brought (%s)', async subscription => {
    const { id } = await newScene('subscribing', { subscription });
    await stack.core.store.compareAndSetSubscription(id, 0, { ...nothingKept, sealedSecrets: 'of-a-handshake' });
    expect(await prepare(id)).toEqual({ subscription: 'ensured', resumed: true });
    expect(await subscriptionOf(id)).toMatchObject({ sealedSecrets: 'of-a-handshake', failure: null });
  });

  it.each(['nothing', 'no-secrets'])('leaves room for those of a handshake to come (%s)', async subscription => {
    const { id } = await newScene('subscribing', { subscription });
    await prepare(id);
    expect((await subscriptionOf(id)).sealedSecrets).toBeNull();
  });

  it('leaves those of the handshake that came while it ran, and its expiry counts', async () => {
    const { id, lines } = await newScene('subscribing', { subscription: 'slow-no-secrets' });
    await stack.core.store.compareAndSetSubscription(id, 0, nothingKept);
    const prepared = prepare(id);
    while (lines().length === 0) await sleep(10);
    await write(id, { sealedSecrets: 'of-a-handshake' });
    await prepared;
    const { sealedSecrets, expiresAt, dueAt } = await subscriptionOf(id);
    expect(sealedSecrets).toBe('of-a-handshake');
    expect(expiresAt!.getTime()).toBeGreaterThan(Date.now() + 55 * minute);
    expect(dueAt!.getTime()).toBeGreaterThan(Date.now() + 40 * minute);
  });
});

it('secrets that the hook brings replace those known', async () => {
  const { id } = await newScene('subscribing');
  await stack.core.store.compareAndSetSubscription(id, 0, { ...nothingKept, sealedSecrets: 'earlier' });
  await prepare(id);
  expect(await secretsOf(id)).toEqual(['subscription-secret']);
});

describe('secrets that somebody else brought while the hook ran', () => {
  const seal = (id: IntegrationId, secrets: readonly string[]) =>
    stack.core.vault.seal(encodeSecrets(secrets.map(each => new Secret(each))), subscriptionSecretsBinding(id));
  /** As when an attempt was given up on, and its successor was faster. */
  const overtake = async (sealedFor: (id: IntegrationId) => string) => {
    const { id, lines, configure } = await newScene('subscribing', { subscription: 'slow' }, null);
    const known = { ...nothingKept, sealedSecrets: seal(id, ['earlier']) };
    await stack.core.store.compareAndSetSubscription(id, 0, known);
    const late = prepare(id);
    while (lines().length === 0) await sleep(10);
    const expiresAt = later(new Date(), 60 * minute);
    await write(id, { sealedSecrets: sealedFor(id), expiresAt, dueAt: later(new Date(), 45 * minute) });
    expect(await late).toEqual({ subscription: 'ensured', resumed: false });
    return { id, configure };
  };
  const isDueSoon = async (id: IntegrationId) => (await subscriptionOf(id)).dueAt! < later(new Date(), minute);

  it('stay beside those that it brings, until it brings some alone', async () => {
    const { id, configure } = await overtake(it => seal(it, ['of-the-successor']));
    expect(await secretsOf(id)).toEqual(['late-secret', 'of-the-successor']);
    expect(await isDueSoon(id)).toBe(true);
    await write(id, { dueAt: new Date() });
    await configure({});
    await prepare(id);
    expect(await secretsOf(id)).toEqual(['subscription-secret']);
    expect(await isDueSoon(id)).toBe(false);
  });

  it('are nothing to look at again where they are the same', async () => {
    const { id } = await overtake(it => seal(it, ['late-secret']));
    expect(await secretsOf(id)).toEqual(['late-secret']);
    expect(await isDueSoon(id)).toBe(false);
  });

  it('go where this worker cannot open them, and the hook runs again soon', async () => {
    const { id } = await overtake(() => 'v1.unknown.key');
    expect(await secretsOf(id)).toEqual(['late-secret']);
    expect(await isDueSoon(id)).toBe(true);
  });
});

it('writes nothing for an integration that was deleted while its hook ran', async () => {
  const { id, lines } = await newScene('subscribing', { subscription: 'slow-no-secrets' });
  await stack.core.store.compareAndSetSubscription(id, 0, nothingKept);
  const prepared = prepare(id);
  while (lines().length === 0) await sleep(10);
  await stack.core.store.deleteSubscription(id);
  await prepared;
  expect(await stack.core.store.getSubscription(id)).toBeNull();
});

describe('the mark of an outage', () => {
  const resumeSinceOf = async (id: IntegrationId) => (await stack.core.store.getIntegration(id))!.resumeSince;
  const move = async (id: IntegrationId, state: IntegrationState) => {
    const { version } = (await stack.core.store.getIntegration(id))!;
    expect(await stack.core.store.compareAndSetIntegration(id, version, { state }, new Date())).not.toBeNull();
  };
  const cut = newId('credential');
  const dead = deadBecauseOf(cut);
  const back: IntegrationState = { ...ready, epochs: { [cut]: 3 } };
  const unfinished = (state: IntegrationState): IntegrationState => ({ ...state, lifecycle: 'needs_config' });

  it('goes when the hook ran, also where the settings were changed meanwhile', async () => {
    const { id, lines } = await newScene('resuming', { reconnected: 'slow' });
    const prepared = prepare(id);
    while (lines().length === 0) await sleep(10);
    await move(id, ready);
    expect(await prepared).toEqual({ subscription: 'not_due', resumed: true });
    expect(await resumeSinceOf(id)).toBeNull();
  });

  it.each<[string, readonly IntegrationState[]]>([
    ['and is still', [dead]],
    ['and is back', [dead, back]],
    ['by a pause, and is back', [{ ...ready, intent: 'paused' }, ready]],
    ['with no status to tell of it', [unfinished(dead), unfinished(back)]],
  ])('stays when it was cut off once more while the hook ran, %s', async (_how, states) => {
    const { id, lines } = await newScene('resuming', { reconnected: 'slow' });
    if (states[0]?.lifecycle === 'needs_config') await move(id, unfinished(ready));
    const since = await resumeSinceOf(id);
    const prepared = prepare(id);
    while (lines().length === 0) await sleep(10);
    for (const state of states) await move(id, state);
    expect(await prepared).toEqual({ subscription: 'not_due', resumed: false });
    expect(await resumeSinceOf(id)).toEqual(since);
  });
});
