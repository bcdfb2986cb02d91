import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryId, IntegrationId, ProviderId } from '../../../src/domain/ids.js';
import { RelinkError } from '../../../src/errors.js';
import { GroupCommit } from '../../../src/http/intake/group-commit.js';
import type { InsertedDelivery, NewDelivery } from '../../../src/store/port/store.js';

const delivery = (n: number, bytes = 0): NewDelivery => ({
  id: `dlv_${n}` as DeliveryId,
  integrationId: 'int_1' as IntegrationId,
  provider: 'attio' as ProviderId,
  externalId: String(n),
  sealedContent: 'x'.repeat(bytes),
  receivedAt: new Date(),
});
const range = (count: number) => Array.from({ length: count }, (_, n) => n);
const stored = ({ id }: NewDelivery): InsertedDelivery => ({ outcome: 'stored', id });

/** A database that answers nobody until it is let go. */
function holdBack() {
  let letGo: () => void = () => undefined;
  const gone = new Promise<void>(resolve => {
    letGo = resolve;
  });
  const insert = async (rows: readonly NewDelivery[]) => {
    await gone;
    return rows.map(stored);
  };
  return { insert, letGo: () => letGo() };
}

function startCommits(insert: (rows: readonly NewDelivery[], call: number) => Promise<readonly InsertedDelivery[]>) {
  const sizes: number[] = [];
  const at = { once: 0, most: 0, calls: 0 };
  const commits = new GroupCommit(
    {
      insertDeliveries: async rows => {
        at.calls += 1;
        at.once += 1;
        at.most = Math.max(at.most, at.once);
        try {
          return await insert(rows, at.calls);
        } finally {
          at.once -= 1;
        }
      },
    },
    rows => void sizes.push(rows),
  );
  return { commits, sizes, at };
}

test('shares commits of two hundred, three in flight, and tells each its own outcome', async () => {
  const { commits, sizes, at } = startCommits(async rows => {
    await sleep(20);
    return rows.map(row => (Number(row.externalId) % 2 === 0 ? stored(row) : { outcome: 'duplicate', id: null }));
  });
  const outcomes = await Promise.all(range(1_000).map(n => commits.add(delivery(n))));
  expect(outcomes).toEqual(
    range(1_000).map(n => (n % 2 === 0 ? stored(delivery(n)) : { outcome: 'duplicate', id: null })),
  );
  expect(sizes).toEqual([200, 200, 200, 200, 200]);
  expect(at.most).toBe(3);
});

test('one that comes alone is on its way at once', async () => {
  const { commits, at } = startCommits(async rows => rows.map(stored));
  const added = commits.add(delivery(1));
  await new Promise(setImmediate);
  expect(at.calls).toBe(1);
  await added;
});

test('all of a commit that fails fail, and nobody of another one', async () => {
  const { commits, sizes } = startCommits(async (rows, call) => {
    await sleep(10);
    if (call === 2) throw new RelinkError('database_unavailable');
    return rows.map(stored);
  });
  const ends = await Promise.allSettled(range(600).map(n => commits.add(delivery(n))));
  const failed = ends.flatMap((end, n) => (end.status === 'rejected' ? [n] : []));
  expect(failed).toEqual(range(200).map(n => n + 200));
  expect(sizes).toEqual([200, 200]);
  await expect(commits.add(delivery(601))).resolves.toEqual(stored(delivery(601)));
});

test('while the database hangs no more is taken than there is room for, by number', async () => {
  const hang = holdBack();
  const { commits } = startCommits(hang.insert);
  const waiting = range(10_000).map(n => commits.add(delivery(n)));
  await expect(commits.add(delivery(10_000))).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
  hang.letGo();
  expect(await Promise.all(waiting)).toHaveLength(10_000);
  await expect(commits.add(delivery(10_001))).resolves.toMatchObject({ outcome: 'stored' });
});

test('and by size; what is large goes a few to a commit', async () => {
  const hang = holdBack();
  const { commits, sizes } = startCommits(hang.insert);
  const waiting = range(48).map(n => commits.add(delivery(n, 1_048_576)));
  await expect(commits.add(delivery(48))).rejects.toMatchObject({ code: 'database_unavailable' });
  hang.letGo();
  await Promise.all(waiting);
  expect(sizes).toEqual(Array(12).fill(4));
  await expect(commits.add(delivery(49, 50 * 1_048_576))).resolves.toMatchObject({ outcome: 'stored' });
});

test('all that wait fail with a commit that found the database away, and none of them is tried', async () => {
  const { commits, at } = startCommits(async () => {
    await sleep(10);
    throw new RelinkError('database_unavailable');
  });
  const ends = await Promise.allSettled(range(5_000).map(n => commits.add(delivery(n))));
  expect(ends.every(end => end.status === 'rejected')).toBe(true);
  expect(at.calls).toBe(3);
});

test('a commit that had to give way to another one is tried again, three times in all', async () => {
  const once = startCommits(async (rows, call) => {
    if (call === 1) throw new RelinkError('write_conflict');
    return rows.map(stored);
  });
  await expect(once.commits.add(delivery(1))).resolves.toMatchObject({ outcome: 'stored' });
  const always = startCommits(() => Promise.reject(new RelinkError('write_conflict')));
  await expect(always.commits.add(delivery(1))).rejects.toMatchObject({ code: 'write_conflict' });
  expect(always.at.calls).toBe(3);
});
