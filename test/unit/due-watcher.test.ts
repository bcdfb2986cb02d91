import { DueWatcher } from '../../src/activities/deliveries/due-watcher.js';
import type { IntegrationId } from '../../src/domain/ids.js';

const id = (name: string) => name as IntegrationId;
const never = new AbortController().signal;

const watch = (answer: (ids: readonly IntegrationId[], looks: number) => readonly IntegrationId[]) => {
  const looks: (readonly IntegrationId[])[] = [];
  const store = {
    findDueIntegrations: (ids: readonly IntegrationId[]) => {
      looks.push(ids);
      return Promise.resolve(answer(ids, looks.length));
    },
  };
  return { watcher: new DueWatcher(store, () => new Date()), looks };
};

test('all who wait are asked about together, and only those with something due are told', async () => {
  const { watcher, looks } = watch(() => [id('b')]);
  const waits = ['a', 'b', 'c'].map(name => watcher.wait(id(name), 'arrival', 80, never));
  expect(await Promise.all(waits)).toEqual([false, true, false]);
  expect(looks[0]).toEqual(['a', 'b', 'c']);
});

test('nobody is asked while nobody waits', async () => {
  const { watcher, looks } = watch(() => []);
  expect(await watcher.wait(id('a'), 'none', 60, never)).toBe(false);
  const asked = looks.length;
  await new Promise(resolve => setTimeout(resolve, 120));
  expect(looks.length - asked).toBeLessThanOrEqual(1);
});

test('a look that fails is nothing found, and the next one is made', async () => {
  const { watcher } = watch((ids, looks) => {
    if (looks === 1) throw new Error('the database is away');
    return ids;
  });
  expect(await watcher.wait(id('a'), 'arrival', 2_000, never)).toBe(true);
});

test('a signal ends the wait at once', async () => {
  const { watcher } = watch(() => []);
  const controller = new AbortController();
  const waiting = watcher.wait(id('a'), 'arrival', 60_000, controller.signal);
  controller.abort();
  expect(await waiting).toBe(false);
});
