import type { SandboxControl } from '../../sandbox-control.js';
import type { BenchStack } from '../start-bench-stack.js';
import { percentile, round } from '../statistics.js';
import { type Callers, processes } from './callers.js';
import { connectAccount } from './connect-account.js';
import type { RefreshDatabase } from './refresh-database.js';

export const rounds = 50;
export const callers = 200;
const account = 'globex';

export interface RoundsResult {
  readonly postsMax: number;
  readonly failedCallers: number;
  readonly grantsLost: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * All callers meet a 401 at once, round after round, on one credential; requests are counted at the provider. With
 * `rotated` each refresh token is good for one use, and a second use ends the grant.
 */
export async function measureRounds(
  stack: BenchStack,
  sandbox: SandboxControl,
  database: RefreshDatabase,
  fleet: Callers,
  policy: 'kept' | 'rotated',
  say: (line: string) => void,
): Promise<RoundsResult> {
  await sandbox.setPolicy(account, { refreshToken: policy });
  const { credentialId, integrationId } = await connectAccount(stack, account);
  const task = { task: 'round', integrationId, callers: callers / processes } as const;
  // Connections are opened, the code is warm.
  await fleet.all(task);
  const posts: number[] = [];
  const ms: number[] = [];
  const failures: Record<string, number> = {};
  let failedCallers = 0;
  let unrefused = 0;
  let grantsLost = 0;
  for (let index = 0; index < rounds && grantsLost === 0; index += 1) {
    await sandbox.expire(account);
    await sandbox.resetCounters();
    const result = await fleet.all(task);
    const { by_grant_type } = await sandbox.readCounters();
    posts.push(by_grant_type['refresh_token'] ?? 0);
    ms.push(...result.ms);
    failedCallers += callers - result.ok;
    unrefused += result.ok - result.ms.length;
    for (const [end, count] of Object.entries(result.failures)) failures[end] = (failures[end] ?? 0) + count;
    if (!(await database.standingOf(credentialId)).alive) grantsLost += 1;
  }
  const result = {
    postsMax: Math.max(...posts),
    failedCallers,
    grantsLost,
    p50: round(percentile(ms, 0.5)),
    p99: round(percentile(ms, 0.99)),
  };
  say(
    `refresh tokens ${policy}: ${posts.length} rounds of ${callers} callers in ${processes} processes; token POSTs a round: ${Math.min(...posts)} to ${result.postsMax}; from the 401 to the 200: p50 ${result.p50} ms, p99 ${result.p99} ms`,
  );
  say(
    `  callers that met no 401: ${unrefused}; failed: ${failedCallers} ${JSON.stringify(failures)}; grants lost: ${grantsLost}`,
  );
  if (unrefused > 0) throw new Error('callers met no 401: the round did not measure what it should');
  return result;
}
