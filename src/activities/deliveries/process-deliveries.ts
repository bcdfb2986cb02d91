import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../contracts/activities.js';
import type { ProcessResult } from '../../contracts/delivery-activities.js';
import { RelinkError } from '../../errors.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import { gateOf, gateOfState } from '../../integrations/gate-of.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countEnded } from '../count-ended.js';
import { tellLostDeaths } from '../tell-lost-deaths.js';
import { describeHandlerFacts } from './describe-handler-facts.js';
import { DueWatcher } from './due-watcher.js';
import { Finisher } from './finisher.js';
import { nameClaim } from './name-claim.js';
import { noteOutcomes } from './note-outcomes.js';
import type { Consumer } from './open-delivery.js';
import { firstTurn, runLot } from './run-lot.js';

/** How long one activity works before it reports: its progress stays readable, and the run's history short. */
const workForMs = 60_000;
/** How long an idle consumer waits for more before it gives its slot back. */
const lingerMs = 1_000;
const heartbeatEveryMs = 2_000;
const firstLot = 100;
const smallestLot = 10;
const largestLot = 200;
/** A lot should take about this long: quick handlers get large ones, slow handlers small ones. */
const lotTakesMs = 150;
/** What keeps coming is claimed some at a time rather than one by one: no lot begins sooner after a small one. */
const gatherLotMs = 15;
const manyAtOnce = 50;
const afterClosedGateMs = 5_000;
/** Until another worker may have the key that this one lacks. */
const afterMissingKeyMs = 30_000;

/**
 * Works through an integration's due deliveries, in lots. The claim names this attempt, so that an attempt which was
 * given up on (its worker stalled) can neither claim nor finish anything once its successor has begun.
 */
export function processDeliveries(dependencies: ActivityDependencies): Activities['processDeliveries'] {
  const { store, integrations, requests, now } = dependencies;
  const watcher = new DueWatcher(store, now);
  const outcomes = noteOutcomes(dependencies.log);

  return async ({ integrationId }) => {
    const context = Context.current();
    const claim = nameClaim(context.info);
    const signal = context.cancellationSignal;
    const progress = { handled: 0, failed: 0 };
    const startedAt = Date.now();
    const heart = setInterval(() => context.heartbeat(progress), heartbeatEveryMs);
    try {
      const integration = await store.getIntegration(integrationId);
      if (integration === null) return { ...progress, end: 'stopped', nextDueInMs: null };
      // An attempt that was frozen until here has a successor already, which is to keep what it has.
      const takeOver = async () => {
        signal.throwIfAborted();
        const handedOutAt = new Date(context.info.currentAttemptScheduledTimestampMs);
        if (!(await store.becomeConsumer(integrationId, claim, handedOutAt))) {
          throw new RelinkError('claim_lost', integrationId);
        }
      };
      if (gateOfState(integrations, integration) !== 'process') {
        // An earlier attempt that died says for ever that it looks, and what it had claimed stays claimed: nobody would be
        // woken once the gate is open again, and neither a discard nor the bounds of what is held would meet those.
        await takeOver();
        await store.noteLooking(integrationId, claim, false);
        return { ...progress, end: 'stopped', nextDueInMs: afterClosedGateMs };
      }
      // One that was written since may have other settings; and one that was closed and opened again, which NEEDS_CONFIG
      // does not always tell by its status, may have to be prepared before its next delivery runs.
      let hasChanged = false;
      const askGate = async () => {
        const { row, isConsumer } = await store.readConsumerGate(integrationId, claim);
        if (!isConsumer) return 'claim_lost';
        const gate = gateOf(integrations, row);
        hasChanged = row !== null && gate === 'process' && row.version !== integration.version;
        return hasChanged ? 'hold' : gate;
      };
      const { order } = webhookPolicyOf(integrations.find(integration.type));
      let isLooking = true;
      const noteLooking = async (looks: boolean) => {
        if (looks !== isLooking) await store.noteLooking(integrationId, claim, looks);
        isLooking = looks;
      };
      const end = async (how: ProcessResult['end'], atLeastMs = 0): Promise<ProcessResult> => {
        await noteLooking(false);
        const next = await store.findNextDue(integrationId, order);
        const dueInMs = next === null ? null : Math.max((next.at?.getTime() ?? 0) - now().getTime(), 0);
        return { ...progress, end: how, nextDueInMs: dueInMs === null ? null : Math.max(dueInMs, atLeastMs) };
      };
      const consumer: Consumer = {
        integration,
        facts: await describeHandlerFacts(dependencies, integration, integrationId, 1),
        services: requests.servicesFor(integration, signal),
        signal,
      };
      await takeOver();

      let limit = firstLot;
      const pace = { turn: firstTurn };
      for (;;) {
        signal.throwIfAborted();
        if (Date.now() - startedAt > workForMs) return await end('more');
        const lot = await store.claimDeliveries({ integrationId, claim, order, limit, now: now() });
        if (lot === null) throw new RelinkError('claim_lost', integrationId);
        if (lot.length === 0) {
          if (!isLooking) return await end('drained');
          if (await watcher.wait(integrationId, order, lingerMs, signal)) continue;
          signal.throwIfAborted();
          // And once more: who stored something while this still looked did not wake it.
          await noteLooking(false);
          continue;
        }
        await noteLooking(true);
        const finisher = new Finisher(store, integrationId, claim, now, signal);
        const notes = outcomes.for(integrationId, countEnded(context.metricMeter));
        const lotStartedAt = Date.now();
        const tools = { claim, finisher, deadline: startedAt + workForMs, pace, askGate, notes };
        const { handled, failed, stopped } = await runLot(dependencies, consumer, lot, tools);
        progress.handled += handled;
        progress.failed += failed;
        if (stopped === 'key_missing') return await end('stopped', afterMissingKeyMs);
        if (stopped === 'gate_closed' && !hasChanged) {
          await tellLostDeaths(dependencies, integrationId);
          return await end('stopped', afterClosedGateMs);
        }
        if (stopped !== null) return await end('more');
        const took = Math.max(Date.now() - lotStartedAt, 1);
        if (lot.length < manyAtOnce && took < gatherLotMs) await sleep(gatherLotMs - took, undefined, { signal });
        limit = Math.min(Math.max(Math.round((lot.length * lotTakesMs) / took), smallestLot), largestLot, limit * 2);
      }
    } finally {
      clearInterval(heart);
    }
  };
}
