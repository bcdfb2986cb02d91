import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { RoleProcess } from '../../../embedded/process/spawn-role.js';
import type { SandboxControl } from '../../sandbox-control.js';
import type { BenchStack } from '../start-bench-stack.js';
import { connectAccount } from './connect-account.js';
import { countDeathsTold } from './count-deaths-told.js';
import type { RefreshDatabase } from './refresh-database.js';

export const incidentWebhooks = 94_000;
const beforeDeath = 100;
const connections = 32;
/** RELINK_HELD_LIMIT as it is by default. */
const heldLimit = 10_000;
const settleWithinMs = 180_000;

export interface IncidentResult {
  readonly webhooks: number;
  readonly error_lines: number;
  readonly token_posts: number;
  readonly status_writes: number;
  readonly notifications: number;
}

/**
 * The incident: a day's webhooks for one Attio integration whose grant is revoked after the first hundred. Everything is
 * counted in the logs of server and workers, at the provider, in the database and in Temporal.
 */
export async function measureIncident(
  stack: BenchStack,
  sandbox: SandboxControl,
  database: RefreshDatabase,
  workers: readonly RoleProcess[],
  say: (line: string) => void,
): Promise<IncidentResult> {
  const { integrationId, credentialId, user } = await connectAccount(stack, 'acme', {
    entityType: 'attio',
    type: 'attio-sync',
  });
  const path = `/api/webhooks/attio/${integrationId}`;
  const integration = `/api/integrations/${integrationId}`;
  await database.watchStatuses();
  const roles = [stack.server, ...workers];
  const before = await readErrorLines(roles);
  await sandbox.resetCounters();

  await post(stack, path, 0, beforeDeath);
  await until(
    'the first webhooks are handled',
    async () => (await database.countDeliveries(integrationId, 'succeeded')) === beforeDeath,
  );
  await sandbox.revoke('acme');
  const startedAt = Date.now();
  await post(stack, path, beforeDeath, incidentWebhooks);
  say(
    `${incidentWebhooks - beforeDeath} webhooks of a dead grant taken in ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
  await user.until(integration, body => body.status === 'ERROR', settleWithinMs);
  await until(
    'what does not fit the held bound has fallen out',
    async () => (await database.countDeliveries(integrationId, 'queued')) <= heldLimit,
  );

  const stored = await database.countDeliveries(integrationId);
  const fallen = await database.countDeliveries(integrationId, 'expired');
  const failed = await database.countDeliveries(integrationId, 'failed');
  const lines = (await readErrorLines(roles)).slice(before.length);
  const result = {
    webhooks: stored,
    error_lines: lines.length,
    token_posts: (await sandbox.readCounters()).token_requests,
    status_writes: await database.countStatusWrites(),
    notifications: await countDeathsTold(stack.temporalAddress, credentialId),
  };
  say(
    `the incident: ${stored} webhooks stored, ${fallen} fell out of the bound of ${heldLimit} held, ${failed} FAILED; error lines ${result.error_lines}, token POSTs ${result.token_posts}, status writes ${result.status_writes}, notifications ${result.notifications}`,
  );
  for (const line of lines.slice(0, 3)) say(`  ${line.slice(0, 300)}`);
  return result;
}

async function readErrorLines(roles: readonly RoleProcess[]): Promise<string[]> {
  const logs = await Promise.all(roles.map(role => role.readLog()));
  return logs.flatMap(log => log.split('\n').filter(line => line.includes('"level":"error"')));
}

/** Signed as Attio signs. Any answer but 200 ends the benchmark. */
async function post({ url, sandbox }: BenchStack, path: string, from: number, to: number): Promise<void> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  let next = from;
  const send = async () => {
    while (next < to) {
      const n = next++;
      const body = JSON.stringify({ events: [{ n, event_type: 'record.updated' }] });
      const headers = {
        'content-type': 'application/json',
        'attio-signature': createHmac('sha256', sandbox.webhookSecret).update(body).digest('hex'),
        'idempotency-key': `incident-${n}`,
      };
      const answer = await pool.request({ path, method: 'POST', headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
  await pool.close();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + settleWithinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come to this in time: ${what}`);
    await sleep(500);
  }
}
