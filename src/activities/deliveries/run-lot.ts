import { maxCrashes, type Gate } from '../../domain/delivery.js';
import { RelinkError } from '../../errors.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import type { ClaimedDelivery } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Finisher } from './finisher.js';
import { runDelivery, type Consumer } from './run-delivery.js';

/** An answer of the gate is good for this long within a lot; slow handlers have it asked again before each delivery. */
const gateIsFreshForMs = 100;

export interface LotResult {
  readonly handled: number;
  readonly failed: number;
  /** The gate closed, or the credential died: what had not begun went back into the queue. */
  readonly stopped: boolean;
}

export interface LotTools {
  readonly claim: string;
  readonly finisher: Finisher;
  /** Asks the primary. */
  readonly askGate: () => Promise<Gate>;
  readonly noteOutcome: (kind: 'succeeded' | 'retry' | 'failed', reason: string | null, detail: string | null) => void;
}

/**
 * Runs a claimed lot: one after the other by `arrival`, else as many at once as the policy says. The gate is asked
 * after the claim and before any work, so that nothing runs after an answer that said stop.
 */
export async function runLot(
  dependencies: ActivityDependencies,
  consumer: Consumer,
  lot: readonly ClaimedDelivery[],
  tools: LotTools,
): Promise<LotResult> {
  const { integration, signal } = consumer;
  const { finisher } = tools;
  const policy = webhookPolicyOf(dependencies.integrations.find(integration.type));
  const queue = [...lot];
  const result = { handled: 0, failed: 0, stopped: false };
  let crashed = false;
  let blocked = false;
  let openUntil = 0;

  const isOpen = async () => {
    if (Date.now() < openUntil) return true;
    const open = (await tools.askGate()) === 'process';
    openUntil = open ? Date.now() + gateIsFreshForMs : 0;
    return open;
  };

  const work = async () => {
    for (;;) {
      const delivery = queue[0];
      if (delivery === undefined || blocked || crashed || result.stopped) return;
      finisher.check();
      if (signal.aborted) return;
      if (!(await isOpen())) {
        result.stopped = true;
        return;
      }
      // Another of the lot's runners may have taken it while the gate was asked.
      if (queue[0] !== delivery) continue;
      queue.shift();
      await runOne(delivery);
    }
  };

  const runOne = async (delivery: ClaimedDelivery) => {
    if (delivery.suspect && delivery.crashes >= maxCrashes) {
      result.failed += 1;
      const reason = 'handler_crashed';
      finisher.add({ id: delivery.id, kind: 'failed', reason, detail: null, nextAttemptAt: null });
      tools.noteOutcome('failed', reason, null);
      return;
    }
    if (delivery.suspect && !(await dependencies.store.noteCrash(integration.id, delivery.id, tools.claim))) {
      throw new RelinkError('claim_lost', integration.id);
    }
    const outcome = await runDelivery(dependencies, consumer, delivery);
    if (outcome.kind === 'crashed') {
      crashed = true;
      return;
    }
    finisher.add(outcome);
    if (outcome.kind === 'released') result.stopped = true;
    else if (outcome.kind === 'succeeded') {
      result.handled += 1;
      tools.noteOutcome('succeeded', null, null);
    } else {
      if (outcome.kind === 'failed') result.failed += 1;
      else if (policy.order === 'arrival') blocked = true;
      tools.noteOutcome(outcome.kind, outcome.reason, outcome.detail);
    }
  };

  const runners = policy.order === 'arrival' ? 1 : policy.concurrency;
  const ends = await Promise.allSettled(Array.from({ length: Math.min(runners, lot.length) }, work));
  // What has not begun goes back, also when the work was cut short: only what a dead thread had in hand stays claimed.
  for (const { id } of queue) finisher.add({ id, kind: 'released', ran: false });
  await finisher.settled();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (crashed) throw new RelinkError('handler_crashed', integration.id);
  return result;
}
