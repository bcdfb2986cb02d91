import {
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProcessResult, WebhookActivities } from '../contracts/delivery-activities.js';
import { deliveriesTaskQueue } from '../contracts/task-queues.js';
import type { WebhooksInput, WebhooksResult } from '../contracts/workflows.js';
import { checkOptions, discardOptions, prepareOptions, processOptions } from './activity-options.js';
import { wakeSignal } from './messages.js';
import { setSearchAttributes } from './search-attributes.js';

/** A local activity: short, read-only, and asked before every piece of work. */
const { checkIntegrationStatus } = proxyLocalActivities<WebhookActivities>(checkOptions);
const { discardDeliveries } = proxyActivities<WebhookActivities>(discardOptions);

/**
 * The one consumer of an integration's deliveries. What there is to do is in the database; a wake only says "look".
 *
 * No wake-up is lost: producers commit before they signal; `woken` is cleared before the look and tested after it, with
 * no await between the test and the end of the run. A signal that comes later than that test either keeps the run from
 * ending (the server refuses to complete over it) or starts the next one.
 */
export async function webhooks(input: WebhooksInput): Promise<WebhooksResult> {
  const { integrationId, lingerMs, continueAfterEvents } = input;
  // What handlers do must not hold up reconnects: another queue, with slots of its own.
  const taskQueue = deliveriesTaskQueue(workflowInfo().taskQueue);
  const { prepareIntegration } = proxyActivities<WebhookActivities>({ ...prepareOptions, taskQueue });
  const { processDeliveries } = proxyActivities<WebhookActivities>({ ...processOptions, taskQueue });

  let woken = false;
  setHandler(wakeSignal, () => {
    woken = true;
  });
  const total = { handled: 0, failed: 0, discarded: 0 };
  const show = enterStage();

  for (;;) {
    woken = false;
    const { gate, status, preparationDue } = await checkIntegrationStatus({ integrationId });

    let waitMs = 0;
    if (gate === 'process') {
      if (preparationDue) {
        show('preparing', `Ensuring the subscription of ${integrationId}.`);
        await goOnAfter(prepareIntegration({ integrationId }));
      }
      show('processing', `Working through the deliveries of ${integrationId}. Handled in this run: ${total.handled}.`);
      const result = await processDeliveries({ integrationId });
      const { handled, failed, end, nextDueInMs } = result;
      total.handled += handled;
      total.failed += failed;
      if (end === 'more') woken = true;
      // A gate that closed in the middle is looked at again before anything else.
      waitMs = end === 'stopped' ? (nextDueInMs ?? 1) : (nextDueInMs ?? lingerMs);
      show('waiting', `${describeTotal(total)} ${describeWait(result)}`);
      const { continueAsNewSuggested, historyLength } = workflowInfo();
      // A wake that came needs nothing carried over: the next run looks first.
      if (continueAsNewSuggested || historyLength > continueAfterEvents) await continueAsNew<typeof webhooks>(input);
      if ((await condition(() => woken, waitMs)) || nextDueInMs !== null || end === 'stopped') continue;
    } else if (gate === 'discard') {
      total.discarded += (await discardDeliveries({ integrationId })).discarded;
      show('discarding', `${integrationId} takes no webhooks (${status ?? 'gone'}). Discarded: ${total.discarded}.`);
    } else {
      show('holding', `${integrationId} is ${status ?? 'gone'}: its deliveries are held until it is back.`);
    }
    if (woken) continue;
    // No search attribute: that would cost each run an event, and the list of runs says that this one has ended.
    if (gate === 'process')
      setCurrentDetails(`${describeTotal(total)} Nothing was queued; the next webhook begins a run.`);
    return total;
  }
}

const describeTotal = ({ handled, failed }: WebhooksResult) => `Handled in this run: ${handled}; FAILED: ${failed}.`;

/** A preparation writes its failures down and is due again; one that could not even do that holds up no delivery. */
async function goOnAfter(preparation: Promise<unknown>): Promise<void> {
  try {
    await preparation;
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

function describeWait({ end, nextDueInMs }: ProcessResult): string {
  if (nextDueInMs === null) return 'Nothing is queued. Waiting for the next.';
  if (end === 'more' || nextDueInMs === 0) return 'More is due.';
  const at = new Date(Date.now() + nextDueInMs).toISOString();
  if (end === 'stopped') return `What is queued was stopped, and is looked at again at ${at}.`;
  return `A delivery failed and is tried again at ${at}. What came after it waits for it, where the type keeps the order.`;
}

/** Search attributes cost an event each: they are set when the stage changes, the details always. */
function enterStage(): (stage: string, details: string) => void {
  let current: string | undefined;
  return (stage, details) => {
    if (stage !== current) setSearchAttributes({ Stage: stage });
    current = stage;
    setCurrentDetails(details);
  };
}
