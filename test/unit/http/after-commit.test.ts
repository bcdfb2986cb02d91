import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryId, IntegrationId, IntegrationType, ProviderId } from '../../../src/domain/ids.js';
import { RelinkError } from '../../../src/errors.js';
import { AfterCommit } from '../../../src/http/intake/after-commit.js';
import { Waker } from '../../../src/http/intake/waker.js';
import { loadIntegrations } from '../../../src/integrations/load-integrations.js';
import { createLog } from '../../../src/log.js';
import type { IntegrationGateRow } from '../../../src/store/port/store.js';

const idOf = (n: number) => `int_${n}` as IntegrationId;
const deliveryId = 'dlv_1' as DeliveryId;
const range = (count: number) => Array.from({ length: count }, (_, n) => n);
const open = (id: IntegrationId): IntegrationGateRow => ({
  id,
  type: 'forward' as IntegrationType,
  status: 'ENABLED',
  statusSince: new Date(),
  version: 1,
  openCauses: 0,
});

function start(read: (ids: readonly IntegrationId[]) => Promise<readonly IntegrationGateRow[]>) {
  const reads: number[] = [];
  const woken: string[] = [];
  const discarded: string[] = [];
  const counted: string[] = [];
  const waker = new Waker(
    {
      wakeWebhooks: id => {
        woken.push(id);
        return Promise.resolve();
      },
    },
    createLog('silent', 'test'),
    () => undefined,
    () => Promise.resolve(false),
  );
  const afterCommit = new AfterCommit({
    store: {
      readIntegrationGates: ids => {
        reads.push(ids.length);
        return read(ids);
      },
      discardDeliveries: (_id, which) => {
        if (!('ids' in which)) throw new Error('only by their ids');
        discarded.push(...which.ids);
        return Promise.resolve(which.ids.length);
      },
    },
    integrations: loadIntegrations(),
    waker,
    now: () => new Date(),
    onDiscarded: provider => counted.push(provider),
  });
  return { afterCommit, reads, woken, discarded, counted };
}

test('all that wait fail with a read that found the database away, and none of them is read for', async () => {
  const { afterCommit, reads } = start(async () => {
    await sleep(10);
    throw new RelinkError('database_unavailable');
  });
  const ends = await Promise.allSettled(range(4_000).map(n => afterCommit.settle(idOf(n), deliveryId)));
  expect(ends.every(end => end.status === 'rejected')).toBe(true);
  // Two were on their way at most when the first of them failed.
  expect(reads.length).toBeLessThanOrEqual(2);
  expect(new Set(reads)).toEqual(new Set([500]));
});

test('while the database hangs no more is taken than there is room for', async () => {
  let letGo: () => void = () => undefined;
  const gone = new Promise<void>(resolve => {
    letGo = resolve;
  });
  const { afterCommit } = start(async ids => {
    await gone;
    return ids.map(open);
  });
  const waiting = range(10_000).map(n => afterCommit.settle(idOf(n % 20), deliveryId));
  await expect(afterCommit.settle(idOf(0), deliveryId)).rejects.toMatchObject({ code: 'database_unavailable' });
  letGo();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['kept']));
  await expect(afterCommit.settle(idOf(0), deliveryId)).resolves.toBe('kept');
});

describe('what was stored while its integration held', () => {
  const provider = 'attio' as ProviderId;
  const began = new Date('2026-01-01T00:00:00.000Z');
  const seconds = (n: number) => new Date(began.getTime() + n * 1_000);
  const held = (n: number, receivedAt = began) => ({ id: `dlv_${n}` as DeliveryId, provider, receivedAt });

  test('shares one look, which wakes for all of them where a release came between', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const { afterCommit, reads, woken } = start(ids => Promise.resolve(ids.map(open)));
      for (const n of range(40)) {
        afterCommit.settleSoon(idOf(n % 5), held(n));
        await jest.advanceTimersByTimeAsync(1);
      }
      expect(reads).toEqual([]);
      await jest.advanceTimersByTimeAsync(10);
      // The read begins at the end of this turn of the event loop.
      await new Promise(setImmediate);
      expect(reads).toEqual([5]);
      await afterCommit.close();
      expect(reads).toEqual([5]);
      expect([...woken].sort()).toEqual(range(5).map(idOf));
    } finally {
      jest.useRealTimers();
    }
  });

  test('wakes nobody while it still holds', async () => {
    const { afterCommit, woken, discarded } = start(ids =>
      Promise.resolve(ids.map(id => ({ ...open(id), status: 'ERROR', openCauses: 1 }))),
    );
    afterCommit.settleSoon(idOf(0), held(0));
    await afterCommit.close();
    expect([woken, discarded]).toEqual([[], []]);
  });

  test('is discarded after a pause began, and stays held when it was received before', async () => {
    const { afterCommit, discarded, counted } = start(ids =>
      Promise.resolve(ids.map(id => ({ ...open(id), status: 'DISABLED', statusSince: seconds(10) }))),
    );
    for (const n of range(20)) afterCommit.settleSoon(idOf(0), held(n, seconds(n)));
    await afterCommit.close();
    expect(discarded).toEqual(range(10).map(n => `dlv_${n + 10}`));
    expect(counted).toHaveLength(10);
  });

  test('is discarded, all of it, with an integration that is gone', async () => {
    const { afterCommit, discarded } = start(() => Promise.resolve([]));
    for (const n of range(2_500)) afterCommit.settleSoon(idOf(0), held(n));
    await afterCommit.close();
    expect(new Set(discarded).size).toBe(2_500);
  });

  test('is left to the sweep when the look fails', async () => {
    const { afterCommit, woken } = start(() => Promise.reject(new RelinkError('database_unavailable')));
    afterCommit.settleSoon(idOf(0), held(0));
    await expect(afterCommit.close()).resolves.toBeUndefined();
    expect(woken).toEqual([]);
  });
});
