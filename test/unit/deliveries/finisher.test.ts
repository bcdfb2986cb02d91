import { setTimeout as sleep } from 'node:timers/promises';
import { Finisher } from '../../../src/activities/deliveries/finisher.js';
import { RelinkError } from '../../../src/errors.js';
import { newId } from '../../../src/ids.js';
import type { DeliveryOutcome, DeliveryStore } from '../../../src/store/port/store.js';

type Finish = DeliveryStore['finishDeliveries'];

const outcome = (): DeliveryOutcome => ({ id: newId('delivery'), kind: 'succeeded' });
const away = () => Promise.reject(new RelinkError('database_unavailable'));
const lost: Finish = (_id, _claim, outcomes) => Promise.resolve(outcomes.map(({ id }) => id));

function finish(finishDeliveries: Finish, signal = new AbortController().signal) {
  const written: DeliveryOutcome[] = [];
  const store = {
    finishDeliveries: async (...call: Parameters<Finish>) => {
      const lostOnes = await finishDeliveries(...call);
      written.push(...call[2]);
      return lostOnes;
    },
  };
  return { finisher: new Finisher(store, newId('integration'), 'run/1', () => new Date(), signal), written };
}

/** A loop that never gives way would keep the test's own time limit from ending it: this counts its rounds. */
function limitRounds(finisher: Finisher): void {
  let rounds = 0;
  let hurry: unknown = () => undefined;
  Object.defineProperty(finisher, 'hurry', {
    set: (given: unknown) => (hurry = given),
    get: () => {
      if (++rounds > 10_000) throw new Error('it goes round for ever');
      return hurry;
    },
  });
}

test('what comes in after the claim was lost is not written, and whoever waits is told at once', async () => {
  const { finisher, written } = finish(lost);
  limitRounds(finisher);
  finisher.add(outcome());
  await expect(finisher.settled()).rejects.toMatchObject({ code: 'claim_lost' });
  finisher.add(outcome());
  await expect(finisher.settled()).rejects.toMatchObject({ code: 'claim_lost' });
  await expect(finisher.ready()).rejects.toMatchObject({ code: 'claim_lost' });
  expect(written).toHaveLength(1);
});

test('an outcome is tried again until the database is back, and nothing begins before', async () => {
  let isAway = true;
  const { finisher, written } = finish(() => (isAway ? away() : Promise.resolve([])));
  finisher.add(outcome());
  await sleep(30);
  let mayBegin = false;
  const ready = finisher.ready().then(() => (mayBegin = true));
  await sleep(100);
  expect(mayBegin).toBe(false);
  isAway = false;
  await ready;
  await finisher.settled();
  expect(written).toHaveLength(1);
});

test('when the work is called off in an outage, nothing more begins and the outage is what is told', async () => {
  const controller = new AbortController();
  const { finisher, written } = finish(away, controller.signal);
  finisher.add(outcome());
  await sleep(30);
  const ready = finisher.ready();
  controller.abort();
  await expect(ready).rejects.toMatchObject({ code: 'database_unavailable' });
  await expect(finisher.settled()).rejects.toMatchObject({ code: 'database_unavailable' });
  expect(written).toEqual([]);
});

test('what the store throws is what is thrown', async () => {
  const { finisher } = finish(() => Promise.reject(new TypeError('a defect')));
  finisher.add(outcome());
  await expect(finisher.settled()).rejects.toThrow(new TypeError('a defect'));
});
