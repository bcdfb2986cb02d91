import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Finisher } from '../../../src/activities/deliveries/finisher.js';
import type { Consumer } from '../../../src/activities/deliveries/open-delivery.js';
import { firstTurn, runLot, type LotDependencies, type LotTools } from '../../../src/activities/deliveries/run-lot.js';
import type { Gate } from '../../../src/domain/delivery.js';
import type { IntegrationType, UserId } from '../../../src/domain/ids.js';
import { RelinkError } from '../../../src/errors.js';
import type { BuiltInHandler } from '../../../src/handlers/built-in-turn.js';
import { newId } from '../../../src/ids.js';
import { defineIntegration, type WebhookPolicy } from '../../../src/integrations/definition.js';
import { encodeContent } from '../../../src/integrations/delivery-content.js';
import type { ClaimedDelivery, DeliveryOutcome, DeliveryStore, Integration } from '../../../src/store/port/store.js';
import { deliveryContentBinding } from '../../../src/vault/bindings.js';
import { parseKeyRing } from '../../../src/vault/parse-key-ring.js';
import { Secret } from '../../../src/vault/secret.js';
import { createVault } from '../../../src/vault/vault.js';
import { callHandlers, describeCall } from '../../support/call-handlers.js';
import { sandboxProvider } from '../../support/ids.js';

const vault = createVault(parseKeyRing(new Secret(`one:${randomBytes(32).toString('base64')}`)));
const date = new Date('2026-11-24T12:00:00.000Z');
const integration: Integration = {
  id: newId('integration'),
  userId: 'u' as UserId,
  type: 'trouble' as IntegrationType,
  entityIds: [],
  config: {},
  state: { lifecycle: 'ready', intent: 'on', causes: [], epochs: {} },
  status: 'ENABLED',
  statusSince: date,
  resumeSince: null,
  version: 1,
  createdAt: date,
  updatedAt: date,
};

interface Scene {
  readonly webhooks?: Partial<WebhookPolicy>;
  readonly bodies: readonly Record<string, unknown>[];
  readonly suspect?: boolean;
  readonly crashesBefore?: number;
  readonly builtIn?: BuiltInHandler;
  /** What is stored of the delivery at this place. */
  readonly stored?: { readonly place: number; readonly sealedContent: string };
  readonly askGate?: LotTools['askGate'];
  readonly store?: Partial<Pick<DeliveryStore, 'finishDeliveries' | 'noteCrash'>>;
}

/** A lot over a real host and a real vault; its store only notes what it is told. */
function stage({
  webhooks = {},
  bodies,
  suspect = false,
  crashesBefore = 0,
  builtIn,
  stored,
  askGate,
  store = {},
}: Scene) {
  const callers = callHandlers({ threads: 1, ...(builtIn && { builtIn: { trouble: builtIn } }) });
  const definition = defineIntegration({
    type: 'trouble',
    name: 'T',
    providers: 'any',
    config: z.object({}),
    webhooks,
  });
  const written: DeliveryOutcome[] = [];
  const crashes: string[] = [];
  const dependencies: LotDependencies = {
    vault,
    handlers: callers.host,
    now: () => new Date(),
    integrations: { find: () => definition },
    store: {
      noteCrash: store.noteCrash ?? ((_id, id) => Promise.resolve(crashes.push(id) > 0)),
    },
  };
  const finish: DeliveryStore['finishDeliveries'] = (_id, _claim, outcomes) => {
    written.push(...outcomes);
    return Promise.resolve([]);
  };
  const signal = new AbortController().signal;
  const finisher = new Finisher(
    { finishDeliveries: store.finishDeliveries ?? finish },
    integration.id,
    'run/1',
    () => new Date(),
    signal,
  );
  const lot = bodies.map((body, place): ClaimedDelivery => {
    const externalId = randomBytes(6).toString('hex');
    const content = encodeContent({}, Buffer.from(JSON.stringify(body)));
    return {
      id: newId('delivery'),
      externalId,
      provider: sandboxProvider,
      sealedContent:
        stored?.place === place
          ? stored.sealedContent
          : vault.sealBytes(content, deliveryContentBinding(integration.id, externalId)),
      receivedAt: date,
      attempts: 0,
      crashes: crashesBefore,
      suspect,
    };
  });
  const consumer: Consumer = {
    integration,
    facts: describeCall({}).facts,
    services: {
      log: { info: message => void said.push(message), warn: () => undefined },
      request: () => Promise.reject(new Error('nothing is requested here')),
    },
    signal,
  };
  const said: string[] = [];
  const notes = {
    succeeded: () => undefined,
    failed: () => undefined,
    gaveUp: () => undefined,
    keyMissing: () => undefined,
  };
  const run = () =>
    runLot(dependencies, consumer, lot, {
      claim: 'run/1',
      finisher,
      deadline: Date.now() + 60_000,
      pace: { turn: firstTurn },
      askGate: askGate ?? (() => Promise.resolve('process')),
      notes,
    });
  return { run, callers, written, crashes, said };
}

const says = (count: number) => Array.from({ length: count }, (_, index) => ({ do: 'say', text: String(index) }));
const kindsOf = (outcomes: readonly DeliveryOutcome[]) => outcomes.map(({ kind }) => kind);

test('of runners that ask at once, none begins with an answer that is older than a no', async () => {
  let asked = 0;
  const askGate = async (): Promise<Gate> => {
    asked += 1;
    await sleep(asked === 1 ? 300 : 20);
    return asked === 1 ? 'process' : 'hold';
  };
  const scene = stage({ webhooks: { order: 'none', concurrency: 2 }, bodies: says(8), askGate });
  await scene.callers.run({ do: 'nothing' });
  const { handled, stopped } = await scene.run();
  await scene.callers.host.close();
  expect(stopped).toBe('gate_closed');
  // Both had the first answer, which was a yes; it was old by then, so each asked again and heard the no.
  expect(handled).toBe(0);
  expect(scene.said).toEqual([]);
  expect(kindsOf(scene.written)).toEqual(says(8).map(() => 'released'));
});

test('a gate that closes while a suspect waits for its thread keeps it from beginning, and counts no crash', async () => {
  let gate: Gate = 'process';
  const scene = stage({ bodies: says(1), suspect: true, askGate: () => Promise.resolve(gate) });
  const before = scene.callers.run({ do: 'wait', ms: 600 }, { alone: true });
  await sleep(100);
  const running = scene.run();
  await sleep(100);
  gate = 'hold';
  expect(await running).toEqual({ handled: 0, failed: 0, stopped: 'gate_closed' });
  await before;
  await scene.callers.host.close();
  expect(scene.said).toEqual([]);
  expect(scene.crashes).toEqual([]);
  expect(scene.written).toMatchObject([{ kind: 'released', ran: false }]);
});

test('a crash that the database may or may not have noted is taken back with the delivery', async () => {
  const noteCrash = () => Promise.reject(new RelinkError('database_unavailable'));
  const scene = stage({ bodies: says(1), suspect: true, store: { noteCrash } });
  await expect(scene.run()).rejects.toMatchObject({ code: 'database_unavailable' });
  await scene.callers.host.close();
  expect(scene.said).toEqual([]);
  expect(scene.written).toMatchObject([{ kind: 'released', ran: true }]);
});

describe('a suspect whose run took its worker with it three times', () => {
  it('is given up on', async () => {
    const scene = stage({ bodies: says(1), suspect: true, crashesBefore: 3 });
    expect(await scene.run()).toEqual({ handled: 0, failed: 1, stopped: null });
    await scene.callers.host.close();
    expect(scene.written).toMatchObject([{ kind: 'failed', reason: 'handler_crashed' }]);
  });

  it('of a built-in type is run, and charged for nothing: no worker died of it', async () => {
    const ran: string[] = [];
    const builtIn: BuiltInHandler = ({ facts }) => {
      ran.push(facts.idempotencyKey);
      return Promise.resolve({ kind: 'done', subscription: null });
    };
    const scene = stage({ bodies: says(1), suspect: true, crashesBefore: 3, builtIn });
    expect(await scene.run()).toEqual({ handled: 1, failed: 0, stopped: null });
    await scene.callers.host.close();
    expect(ran).toHaveLength(1);
    expect(scene.crashes).toEqual([]);
    expect(kindsOf(scene.written)).toEqual(['succeeded']);
  });
});

test('a claim that is lost in the middle of a lot ends it', async () => {
  const finishDeliveries: DeliveryStore['finishDeliveries'] = (_id, _claim, outcomes) =>
    Promise.resolve(outcomes.map(({ id }) => id));
  const bodies = [...says(1), { do: 'wait', ms: 100 }, ...says(60)];
  const scene = stage({ bodies, store: { finishDeliveries } });
  await expect(scene.run()).rejects.toMatchObject({ code: 'claim_lost' });
  await scene.callers.host.close();
  expect(scene.said.length).toBeLessThan(20);
});

test('of a consumer that was replaced nothing more begins once the gate was asked, before any write tells it', async () => {
  let answer: Gate | 'claim_lost' = 'process';
  const bodies = [{ do: 'wait', ms: 400 }, ...says(3)];
  const scene = stage({ bodies, askGate: () => Promise.resolve(answer) });
  await scene.callers.run({ do: 'nothing' });
  const running = scene.run();
  await sleep(200);
  answer = 'claim_lost';
  await expect(running).rejects.toMatchObject({ code: 'claim_lost' });
  await scene.callers.host.close();
  expect(scene.said).toEqual([]);
});

test('a crash ends the lot, and only what the dead thread had in hand is suspect', async () => {
  const scene = stage({ bodies: [{ do: 'exit' }, ...says(2)] });
  expect(await scene.run()).toEqual({ handled: 0, failed: 0, stopped: null });
  await scene.callers.host.close();
  expect(kindsOf(scene.written)).toEqual(['crashed', 'released', 'released']);
});

const elsewhere = vault.sealBytes(Buffer.from('x'), 'elsewhere');

test.each([
  ['copied from elsewhere', elsewhere],
  ['cut short', elsewhere.slice(0, 30)],
])(
  'one that is damaged (%s) fails by itself, and those before and after it are handled',
  async (_how, sealedContent) => {
    const scene = stage({ bodies: says(4), stored: { place: 2, sealedContent } });
    expect(await scene.run()).toEqual({ handled: 3, failed: 1, stopped: null });
    await scene.callers.host.close();
    expect(scene.said).toEqual(['0', '1', '3']);
    expect(kindsOf(scene.written)).toEqual(['succeeded', 'succeeded', 'failed', 'succeeded']);
    expect(scene.written[2]).toMatchObject({ reason: 'content_unreadable', detail: null });
  },
);

test('one whose key is missing waits, after those before it', async () => {
  const other = createVault(parseKeyRing(new Secret(`two:${randomBytes(32).toString('base64')}`)));
  const sealedContent = other.sealBytes(Buffer.from('x'), 'somewhere');
  const scene = stage({ bodies: says(4), stored: { place: 2, sealedContent } });
  expect(await scene.run()).toEqual({ handled: 2, failed: 0, stopped: 'key_missing' });
  await scene.callers.host.close();
  expect(kindsOf(scene.written)).toEqual(['succeeded', 'succeeded', 'released', 'released']);
});
