import type { RoleProcess } from '../../../src/embedded/process/spawn-role.js';
import { type E2eServer, type E2eStack, type E2eStore, startE2eStack } from './start-e2e-stack.js';

export interface RunningStack {
  readonly stack: E2eStack;
  /** The one at the public address. */
  readonly server: E2eServer;
  readonly worker: RoleProcess;
}

/** A stack with the one server and the one worker that most tests begin with. */
export async function startRunningStack(
  settings: Record<string, string> = {},
  store: E2eStore = 'postgres',
): Promise<RunningStack> {
  const stack = await startE2eStack({ settings, store });
  try {
    return { stack, server: await stack.startServer(), worker: await stack.startWorker() };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
