import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxControl } from '../../sandbox-control.js';
import type { BenchStack } from '../start-bench-stack.js';
import type { RoleProcess } from '../../../embedded/process/spawn-role.js';
import { type Callers, processes } from './callers.js';
import { connectAccount, type Connected } from './connect-account.js';
import { callers, rounds } from './measure-rounds.js';
import type { RefreshDatabase } from './refresh-database.js';

const account = 'globex';
/** How long the provider takes to answer: as long as one over the Internet, so that the window is as wide as there. */
const answerDelayMs = 60;
/** The kill comes at a random instant of this, from the callers' start on. */
const withinMs = 350;
/** A killed statement may still be on its way when its process is gone. */
const afterKillMs = 100;
const settleWithinMs = 240_000;

export interface KillsResult {
  readonly rounds: number;
  readonly in_window: number;
  readonly ended_unknown: number;
  readonly lost_outside_window: number;
}

/**
 * The worker is killed with -9 while it refreshes, once a round, each round with a grant of its own whose refresh tokens
 * are good for one use. In the window is who was found marked and unanswered after a kill; everybody else may lose
 * nothing. What became of a grant is decided at the provider: by a request with its token.
 */
export async function measureKills(
  stack: BenchStack,
  sandbox: SandboxControl,
  database: RefreshDatabase,
  fleet: Callers,
  say: (line: string) => void,
): Promise<KillsResult> {
  await sandbox.setPolicy(account, { refreshToken: 'rotated' });
  const grants: Connected[] = [];
  for (let index = 0; index < rounds; index += 1) grants.push(await connectAccount(stack, account));
  await sandbox.addFault({ endpoint: 'refresh', kind: 'late', delayMs: answerDelayMs });

  let worker: RoleProcess = stack.worker;
  const inWindow = new Set<string>();
  for (const [index, { integrationId }] of grants.entries()) {
    await sandbox.expire(account);
    const task = { task: 'round', integrationId, callers: callers / processes } as const;
    const running = fleet.all(task);
    await sleep(Math.random() * withinMs);
    await worker.kill();
    await sleep(afterKillMs);
    // Also of earlier rounds: their recovery may have been in the middle of its own request.
    for (const { credentialId } of grants.slice(0, index + 1)) {
      if ((await database.standingOf(credentialId)).posted) inWindow.add(credentialId);
    }
    worker = await stack.startWorker();
    // Callers have their own deadline, and come away with a time to come again.
    await running;
  }

  const until = Date.now() + settleWithinMs;
  let endedUnknown = 0;
  let lostOutside = 0;
  for (const { credentialId, integrationId } of grants) {
    let standing = await database.standingOf(credentialId);
    while (standing.alive && (standing.posted || standing.generation === 1) && Date.now() < until) {
      // As its next caller would: a refresh that was never begun is begun by whoever needs it.
      await fleet.one({ task: 'calls', integrationId, calls: 1, atOnce: 1 });
      await sleep(500);
      standing = await database.standingOf(credentialId);
    }
    const works = standing.alive && (await fleet.one({ task: 'calls', integrationId, calls: 1, atOnce: 1 })).ok === 1;
    if (works) continue;
    if (standing.verdict === 'refresh_outcome_unknown' && inWindow.has(credentialId)) endedUnknown += 1;
    else lostOutside += 1;
  }
  await sandbox.clearFaults();
  const result = {
    rounds: grants.length,
    in_window: inWindow.size,
    ended_unknown: endedUnknown,
    lost_outside_window: lostOutside,
  };
  say(
    `worker killed in ${result.rounds} rounds, the provider answering after ${answerDelayMs} ms: ${result.in_window} grants in the window between request and stored answer, of which ${result.ended_unknown} ended as refresh_outcome_unknown; lost outside it: ${result.lost_outside_window}`,
  );
  return result;
}
