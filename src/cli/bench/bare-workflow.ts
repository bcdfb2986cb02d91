import { allHandlersFinished, condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import { bareUpdateName, type BareActivities } from './bare-contract.js';

const { first, second, third } = proxyActivities<BareActivities>({ startToCloseTimeout: '15 seconds' });
const answered = defineUpdate<string>(bareUpdateName);

/** What the callback is measured against: three activities that do nothing, an answer after the second. */
export async function bare(): Promise<string> {
  let done = false;
  setHandler(answered, async () => {
    await condition(() => done);
    return 'ok';
  });
  await first();
  await second();
  done = true;
  await third();
  await condition(allHandlersFinished);
  return 'ok';
}
