import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { bareTaskQueue, bareUpdateName } from './bare-contract.js';
import { deliver, type Consent, prepareConsents } from './consents.js';
import type { BenchStack } from './start-bench-stack.js';
import { percentile, round } from './statistics.js';

const batch = 50;

export interface Pairs {
  readonly pairs: number;
  readonly ratio_p50: number;
  readonly ratio_p99: number;
  readonly bare_ms: { readonly p50: number; readonly p99: number };
  readonly callback_ms: { readonly p50: number; readonly p99: number };
}

/** (a) bare Update-with-Start and (b) the whole callback, one caller, in turns whose order alternates. */
export async function measurePairs(stack: BenchStack, pairs: number, say: (line: string) => void): Promise<Pairs> {
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const bare: number[] = [];
  const callback: number[] = [];
  try {
    for (let done = -batch; done < pairs; done += batch) {
      const consents = await prepareConsents(stack, Math.min(batch, pairs - done));
      for (const [index, consent] of consents.entries()) {
        const warmingUp = done < 0;
        const measureBare = async () => {
          const ms = await time(() => runBare(client, `bare/${done}/${index}`));
          if (!warmingUp) bare.push(ms);
        };
        const measureCallback = async () => {
          const ms = await time(() => deliverOrFail(consent));
          if (!warmingUp) callback.push(ms);
        };
        const order = index % 2 === 0 ? [measureBare, measureCallback] : [measureCallback, measureBare];
        for (const measure of order) await measure();
      }
      say(`pairs: ${Math.max(0, done + consents.length)} of ${pairs}`);
    }
  } finally {
    await connection.close();
  }
  const summary = (values: number[]) => ({ p50: round(percentile(values, 0.5)), p99: round(percentile(values, 0.99)) });
  return {
    pairs: callback.length,
    ratio_p50: round(percentile(callback, 0.5) / percentile(bare, 0.5)),
    ratio_p99: round(percentile(callback, 0.99) / percentile(bare, 0.99)),
    bare_ms: summary(bare),
    callback_ms: summary(callback),
  };
}

/** Requests a second of (b) at `callers` at once. */
export async function measureThroughput(stack: BenchStack, callers: number, requests: number): Promise<number> {
  const consents = await prepareConsents(stack, requests);
  const startedAt = performance.now();
  const queue = [...consents];
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let consent = queue.pop(); consent !== undefined; consent = queue.pop()) await deliverOrFail(consent);
    }),
  );
  return round((consents.length * 1000) / (performance.now() - startedAt), 1);
}

async function time(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

async function deliverOrFail(consent: Consent): Promise<void> {
  const { status, body } = await deliver(consent);
  if (status !== 200) throw new Error(`POST /api/authorize answered ${status} ${JSON.stringify(body)}`);
}

async function runBare(client: Client, workflowId: string): Promise<void> {
  await client.workflow.executeUpdateWithStart<Workflow, string, []>(bareUpdateName, {
    updateId: bareUpdateName,
    startWorkflowOperation: new WithStartWorkflowOperation('bare', {
      workflowId,
      taskQueue: bareTaskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [],
    }),
  });
}
