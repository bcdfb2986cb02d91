import { deliver, prepareConsents } from './consents.js';
import type { BenchStack } from './start-bench-stack.js';

export interface Outage {
  readonly outage_accepted: number;
  readonly outage_lost: number;
  /** Seconds from Temporal's return until the last accepted code was a stored credential. */
  readonly outage_settled_s: number;
}

/**
 * Temporal is killed while callbacks run and stays away for a while. A code counts as accepted when the answer is a
 * 2xx, and as lost when its attempt does not end connected, with its credential readable, within three minutes.
 */
export async function measureOutage(stack: BenchStack, say: (line: string) => void): Promise<Outage> {
  const consents = await prepareConsents(stack, 40);
  const accepted: typeof consents = [];
  const queue = [...consents];
  const callers = Array.from({ length: 4 }, async () => {
    for (let consent = queue.shift(); consent !== undefined; consent = queue.shift()) {
      const { status } = await deliver(consent);
      if (status >= 200 && status < 300) accepted.push(consent);
    }
  });
  while (queue.length > 28) await new Promise(resolve => setTimeout(resolve, 5));
  await stack.killTemporal();
  say('Temporal killed with -9 while callbacks run');
  await Promise.all(callers);
  await stack.restartTemporal();
  say('Temporal is back');

  const startedAt = Date.now();
  let lost = 0;
  for (const { attempt, user } of accepted) {
    try {
      const session = await user.until(
        `/api/authorize/${attempt}`,
        body => body.status === 'connected' || body.status === 'restored',
        Math.max(1_000, 180_000 - (Date.now() - startedAt)),
      );
      const credential = await user.get(`/api/credentials/${session.credential_id}`);
      if (credential.body.auth_is_valid !== true) lost += 1;
    } catch {
      lost += 1;
    }
  }
  return {
    outage_accepted: accepted.length,
    outage_lost: lost,
    outage_settled_s: Math.round((Date.now() - startedAt) / 1000),
  };
}
