import type { SandboxControl } from '../../sandbox-control.js';
import type { BenchStack } from '../start-bench-stack.js';
import { type Callers, processes } from './callers.js';
import { connectAccount } from './connect-account.js';

export const doomedCalls = 1_000;

export interface DoomedResult {
  /** Of requests with the dead token: the calls, and the few of the test that passes the verdict. */
  readonly refusals: number;
  readonly posts: number;
}

/**
 * Calls with a token that died and cannot be refreshed, all begun before the verdict: later ones would end without any
 * request. Refusals and token requests are counted at the provider.
 */
export async function measureDoomed(
  stack: BenchStack,
  sandbox: SandboxControl,
  fleet: Callers,
  say: (line: string) => void,
): Promise<DoomedResult> {
  const { integrationId } = await connectAccount(stack, 'hooli');
  await sandbox.revoke('hooli');
  await sandbox.resetCounters();
  const calls = doomedCalls / processes;
  const { ok, failures } = await fleet.all({ task: 'calls', integrationId, calls, atOnce: calls });
  const { token_requests, identity_requests } = await sandbox.readCounters();
  say(`${doomedCalls} calls with a dead token without a refresh token: ${JSON.stringify({ ok, ...failures })}`);
  say(`  refusals: ${identity_requests}, token POSTs: ${token_requests}`);
  return { refusals: identity_requests, posts: token_requests };
}
