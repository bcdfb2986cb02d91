import { maxCrashes, type Gate } from '../../domain/delivery.js';
import { RelinkError } from '../../errors.js';
import type { HandlerAnswer } from '../../handlers/handler-host.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import type { ClaimedDelivery, DeliveryStore } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Finisher } from './finisher.js';
import type { OutcomeNotes } from './note-outcomes.js';
import { chooseTurn } from './choose-turn.js';
import { openTurn } from './open-turn.js';
import { decideOutcome } from './decide-outcome.js';
import type { Consumer } from './open-delivery.js';

/** An answer of the gate is good for this long within a lot; slow handlers have it asked again before each delivery. */
const gateIsFreshForMs = 100;
/** What goes to a thread at once: quick handlers get many, slow ones one at a time. */
export const firstTurn = 16;
const longestTurn = 64;

export interface LotResult {
  readonly handled: number;
  readonly failed: number;
  /** Why what had not begun went back into the queue; null when everything was begun, or waits for a retry. */
  readonly stopped: 'gate_closed' | 'key_missing' | 'time_up' | null;
}

export type LotDependencies = Pick<ActivityDependencies, 'vault' | 'handlers' | 'now'> & {
  readonly store: Pick<DeliveryStore, 'noteCrash'>;
  readonly integrations: Pick<ActivityDependencies['integrations'], 'find'>;
};

export interface LotTools {
  readonly claim: string;
  readonly finisher: Finisher;
  /** Nothing begins after this (Date.now). */
  readonly deadline: number;
  /** How many deliveries a thread was last able to work through in a turn; kept from lot to lot. */
  readonly pace: { turn: number };
  /** Of the primary; `claim_lost`: another consumer took over. */
  readonly askGate: () => Promise<Gate | 'claim_lost'>;
  readonly notes: OutcomeNotes;
}

/**
 * Runs a claimed lot: by `arrival` one after the other, in turns that a thread works through by itself; else as many at
 * once as the policy says.
 *
 * Races: the gate is asked after the claim and before any work, one question at a time for all runners, and again when a
 * turn had to wait for a thread. Nothing begins that would need an older answer than the last one (a turn's time is up
 * before the gate is asked again), and nothing after an answer, or anything else, that said stop. The same answer says
 * whether the claim still holds: the write of an outcome would tell it only after further ones have begun.
 *
 * @throws RelinkError `claim_lost` when another consumer took over.
 */
export async function runLot(
  dependencies: LotDependencies,
  consumer: Consumer,
  lot: readonly ClaimedDelivery[],
  tools: LotTools,
): Promise<LotResult> {
  const { integration, services, signal } = consumer;
  const { finisher, notes, deadline, pace } = tools;
  const policy = webhookPolicyOf(dependencies.integrations.find(integration.type));
  const byArrival = policy.order === 'arrival';
  const mayKill = !dependencies.handlers.isBuiltIn(integration.type);
  const queue = [...lot];
  let [handled, failed] = [0, 0];
  let stopped: LotResult['stopped'] = null;
  let isCrashed = false;
  let isBlocked = false;
  let openUntil = 0;

  const stop = (why: NonNullable<LotResult['stopped']>) => {
    stopped ??= why;
    openUntil = 0;
  };

  let asking: Promise<boolean> | undefined;
  const askGate = async () => {
    const askedAt = Date.now();
    try {
      const gate = await tools.askGate();
      if (gate === 'claim_lost') throw new RelinkError('claim_lost', integration.id);
      const isOpen = gate === 'process';
      if (!isOpen) stop('gate_closed');
      else if (stopped === null) openUntil = askedAt + gateIsFreshForMs;
      return isOpen;
    } finally {
      asking = undefined;
    }
  };
  const isOpen = async () => Date.now() < openUntil || (await (asking ??= askGate()));
  // What another of the lot's runners may have met while this one waited for something.
  const mayGoOn = () => queue.length > 0 && !isBlocked && !isCrashed && stopped === null && !signal.aborted;

  const work = async () => {
    while (mayGoOn()) {
      await finisher.ready();
      if (Date.now() > deadline) stop('time_up');
      else if ((await isOpen()) && mayGoOn()) await takeTurn();
    }
  };

  /** The first one fails without another run. */
  const endUnrun = (reason: 'handler_crashed' | 'content_unreadable') => {
    const ended = queue.shift();
    if (ended === undefined) return;
    failed += 1;
    const failure = { reason, detail: null, nextAttemptAt: null };
    finisher.add({ id: ended.id, kind: 'failed', ...failure });
    notes.failed(failure);
    notes.gaveUp(reason);
  };

  const takeTurn = async () => {
    const wanted = byArrival ? chooseTurn(queue, pace.turn) : queue.slice(0, 1);
    const [first] = wanted;
    if (first === undefined) return;
    const isAccused = first.suspect && mayKill;
    if (isAccused && (first.crashes >= maxCrashes || first.attempts + first.crashes >= policy.maxAttempts)) {
      endUnrun('handler_crashed');
      return;
    }
    const { calls, unopened } = openTurn(dependencies, consumer, wanted);
    if (calls.length === 0) {
      if (unopened === 'damaged') endUnrun('content_unreadable');
      else {
        notes.keyMissing();
        stop('key_missing');
      }
      return;
    }
    const turn = queue.splice(0, calls.length);
    const left = [...turn];
    let mayHaveBegun = false;
    const onBegin = async () => {
      if (!(await isOpen()) || stopped !== null || isCrashed) return null;
      mayHaveBegun = true;
      if (isAccused && !(await dependencies.store.noteCrash(integration.id, first.id, tools.claim))) {
        throw new RelinkError('claim_lost', integration.id);
      }
      return openUntil;
    };
    const onAnswer = (_index: number, answer: HandlerAnswer) => {
      const delivery = left.shift();
      if (delivery !== undefined) settle(delivery, answer);
    };
    let isCutShort = true;
    try {
      const ended = await dependencies.handlers.runInTurn({ calls, onBegin, onAnswer }, services, signal);
      isCutShort = signal.aborted;
      if (!mayHaveBegun) return;
      if (ended < turn.length) pace.turn = Math.max(ended, 1);
      else if (ended === pace.turn) pace.turn = Math.min(pace.turn * 2, longestTurn);
    } finally {
      // The worker stops, and the one in hand has been told so; or the database did not say whether a crash was noted for
      // it. Neither is a crash: it goes back, like those behind it.
      const inHand = isCutShort && mayHaveBegun ? left.shift() : undefined;
      if (inHand !== undefined) finisher.add({ id: inHand.id, kind: 'released', ran: true });
      queue.unshift(...left);
    }
  };

  const settle = (delivery: ClaimedDelivery, answer: HandlerAnswer) => {
    if (answer.kind === 'crashed') {
      // The lot ends here: what the thread had in hand is run alone from now on.
      isCrashed = true;
      finisher.add({ id: delivery.id, kind: 'crashed' });
      notes.failed({ reason: 'handler_crashed', detail: null, nextAttemptAt: null });
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
        stop('gate_closed');
        return;
      case 'failed':
        failed += 1;
        notes.gaveUp(outcome.reason);
        break;
      case 'retry':
        isBlocked ||= byArrival;
    }
    notes.failed(outcome);
  };

  const runners = byArrival ? 1 : policy.concurrency;
  const ends = await Promise.allSettled(Array.from({ length: Math.min(runners, lot.length) }, work));
  // What has not begun goes back, also when the work was cut short.
  for (const { id } of queue) finisher.add({ id, kind: 'released', ran: false });
  await finisher.settled();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { handled, failed, stopped };
}
