import { maxCrashes, type Gate } from '../../domain/delivery.js';
import { RelinkError } from '../../errors.js';
import type { HandlerAnswer } from '../../handlers/handler-host.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import type { ClaimedDelivery } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Finisher } from './finisher.js';
import type { OutcomeNotes } from './note-outcomes.js';
import { decideOutcome, openDelivery, type Consumer } from './run-delivery.js';

/** An answer of the gate is good for this long within a lot; slow handlers have it asked again before each delivery. */
const gateIsFreshForMs = 100;
/** What goes to a thread at once: quick handlers get many, slow ones one at a time. */
export const firstTurn = 16;
const longestTurn = 64;
const largestTurn = 1024 * 1024;

export interface LotResult {
  readonly handled: number;
  readonly failed: number;
  /** Why what had not begun went back into the queue; null when everything was begun, or waits for a retry. */
  readonly stopped: 'gate_closed' | 'unreadable' | 'time_up' | null;
}

export interface LotTools {
  readonly claim: string;
  readonly finisher: Finisher;
  /** Nothing begins after this (Date.now). */
  readonly deadline: number;
  /** How many deliveries a thread was last able to work through in a turn; kept from lot to lot. */
  readonly pace: { turn: number };
  /** Asks the primary. */
  readonly askGate: () => Promise<Gate>;
  readonly notes: OutcomeNotes;
}

/**
 * Runs a claimed lot: by `arrival` one after the other, in turns that a thread works through by itself; else as many at
 * once as the policy says. The gate is asked after the claim and before any work, and nothing begins that would need an
 * older answer than the last one: a turn's time is up before the gate is asked again.
 */
export async function runLot(
  dependencies: ActivityDependencies,
  consumer: Consumer,
  lot: readonly ClaimedDelivery[],
  tools: LotTools,
): Promise<LotResult> {
  const { integration, services, signal } = consumer;
  const { finisher, notes, deadline, pace } = tools;
  const policy = webhookPolicyOf(dependencies.integrations.find(integration.type));
  const byArrival = policy.order === 'arrival';
  const queue = [...lot];
  const crashed: string[] = [];
  let handled = 0;
  let failed = 0;
  let stopped: LotResult['stopped'] = null;
  let isCrashed = false;
  let isBlocked = false;
  let openUntil = 0;

  const isOpen = async () => {
    if (Date.now() < openUntil) return true;
    const askedAt = Date.now();
    const open = (await tools.askGate()) === 'process';
    openUntil = open ? askedAt + gateIsFreshForMs : 0;
    return open;
  };

  const work = async () => {
    while (queue.length > 0 && !isBlocked && !isCrashed && stopped === null && !signal.aborted) {
      await finisher.ready();
      if (Date.now() > deadline) stopped = 'time_up';
      else if (!(await isOpen())) stopped = 'gate_closed';
      // Another of the lot's runners may have taken the last one, or met a reason to stop, while the gate was asked.
      else if (queue.length > 0 && !isBlocked && !isCrashed) await takeTurn();
    }
  };

  const takeTurn = async () => {
    const turn = byArrival ? takeSome(queue, pace.turn) : queue.slice(0, 1);
    const [first] = turn;
    if (first === undefined) return;
    if (first.suspect && first.crashes >= maxCrashes) {
      queue.shift();
      failed += 1;
      const reason = 'handler_crashed';
      finisher.add({ id: first.id, kind: 'failed', reason, detail: null, nextAttemptAt: null });
      notes.failed({ reason, detail: null, nextAttemptAt: null });
      return;
    }
    let calls;
    try {
      calls = turn.map(delivery => openDelivery(dependencies, consumer, delivery));
    } catch (error) {
      if (!(error instanceof RelinkError && error.code === 'secret_unreadable')) throw error;
      notes.unreadable();
      stopped = 'unreadable';
      return;
    }
    queue.splice(0, turn.length);
    const left = [...turn];
    let hasBegun = false;
    const onBegin = async () => {
      if (first.suspect && !(await dependencies.store.noteCrash(integration.id, first.id, tools.claim))) {
        throw new RelinkError('claim_lost', integration.id);
      }
      hasBegun = true;
    };
    const onAnswer = (_index: number, answer: HandlerAnswer) => {
      const delivery = left.shift();
      if (delivery !== undefined) settle(delivery, answer);
    };
    try {
      const ended = await dependencies.handlers.runInTurn({ calls, openUntil, onBegin, onAnswer }, services, signal);
      if (ended < turn.length) pace.turn = Math.max(ended, 1);
      else if (ended === pace.turn) pace.turn = Math.min(pace.turn * 2, longestTurn);
    } finally {
      // The worker stops: the one in hand has been told so, and goes back like those behind it.
      const inHand = signal.aborted && hasBegun ? left.shift() : undefined;
      if (inHand !== undefined) finisher.add({ id: inHand.id, kind: 'released', ran: true });
      queue.unshift(...left);
    }
  };

  const settle = (delivery: ClaimedDelivery, answer: HandlerAnswer) => {
    if (answer.kind === 'crashed') {
      // Its claim is left as it is, for the next attempt to find it suspect.
      isCrashed = true;
      crashed.push(delivery.id);
      return;
    }
    const outcome = decideOutcome(dependencies, consumer, delivery, answer);
    finisher.add(outcome);
    switch (outcome.kind) {
      case 'succeeded':
        handled += 1;
        notes.succeeded();
        return;
      case 'released':
        stopped = 'gate_closed';
        return;
      case 'failed':
        failed += 1;
        break;
      case 'retry':
        isBlocked ||= byArrival;
    }
    notes.failed(outcome);
  };

  const runners = byArrival ? 1 : policy.concurrency;
  const ends = await Promise.allSettled(Array.from({ length: Math.min(runners, lot.length) }, work));
  // What has not begun goes back, also when the work was cut short: only what a dead thread had in hand stays claimed.
  for (const { id } of queue) finisher.add({ id, kind: 'released', ran: false });
  await finisher.settled();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (isCrashed) throw new RelinkError('handler_crashed', `${crashed.join(', ')} of ${integration.id}`);
  return { handled, failed, stopped };
}

/** The first ones, as many as make a turn. A suspect is claimed by itself, so it is alone in its lot. */
function takeSome(queue: readonly ClaimedDelivery[], length: number): ClaimedDelivery[] {
  let size = 0;
  return queue.slice(0, length).filter((delivery, index) => {
    size += delivery.sealedContent.length;
    return index === 0 || size <= largestTurn;
  });
}
