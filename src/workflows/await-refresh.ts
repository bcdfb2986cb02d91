import { proxyActivities, sleep } from '@temporalio/workflow';
import type { RefreshKind, TestActivities } from '../contracts/activities.js';
import type { CredentialId } from '../domain/ids.js';
import { probeOptions } from './activity-options.js';

const { beginRefresh, readRefresh } = proxyActivities<TestActivities>(probeOptions);

/** A test's caller waits for it; a refresh that takes longer goes on by itself. Milliseconds. */
const deadlineMs = 8_000;
const firstLookAfterMs = 100;
const longestPauseMs = 1_000;

/** Begins a refresh, or joins it, and waits here, where waiting holds nothing that the refresh needs. */
export async function awaitRefresh(credentialId: CredentialId, generation: number): Promise<RefreshKind> {
  const endsAt = Date.now() + deadlineMs;
  const { kind: begun, refreshTry } = await beginRefresh({ credentialId, generation });
  let kind = begun;
  for (let pauseMs = firstLookAfterMs; kind === 'pending' && Date.now() < endsAt; pauseMs *= 2) {
    await sleep(Math.min(pauseMs, longestPauseMs));
    ({ kind } = await readRefresh({ credentialId, generation, refreshTry }));
  }
  return kind;
}
