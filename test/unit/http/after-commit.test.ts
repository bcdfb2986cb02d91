import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryId, IntegrationId, IntegrationType } from '../../../src/domain/ids.js';
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
  openCauses: 0,
});

function start(read: (ids: readonly IntegrationId[]) => Promise<readonly IntegrationGateRow[]>) {
  const reads: number[] = [];
  const waker = new Waker(
    { wakeWebhooks: () => Promise.resolve() },
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
      discardDeliveries: () => Promise.resolve(0),
    },
    integrations: loadIntegrations(),
    waker,
    now: () => new Date(),
  });
  return { afterCommit, reads };
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
