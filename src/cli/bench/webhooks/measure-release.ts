import { readFile } from 'node:fs/promises';
import { ApiClient } from '../../api-client.js';
import { round } from '../statistics.js';
import { sendLoad } from './send-load.js';
import type { Stage } from './stage.js';
import { untilDrained } from './database.js';

const usualHeld = 10_000;

/** Deliveries held while the credential is dead, then a reconnect: seconds from its start to the last one handled. */
export async function measureRelease({ stack, database, dead, deadAccount, recorded, say, ...stage }: Stage) {
  const heldCount = usualHeld * stage.backlog;
  await stage.clear();
  await stage.startWorker();
  await sendLoad(stage.target(dead.integrationIds), { count: heldCount });
  const held = await database.count('queued');
  const startedAt = performance.now();
  const user = new ApiClient(stack.url, stack.apiKey, dead.userId);
  await user.connect(deadAccount, { entityId: dead.entityId });
  const seconds = round(((await untilDrained(database, 300_000)) - startedAt) / 1000);
  const check = await checkOrder(recorded, await database.arrivals());
  say(`release of ${held} held: ${seconds} s from the reconnect's start to the last one handled`);
  const handled = await database.count('succeeded');
  await stage.stopWorker();
  return { sent: heldCount, handled, release: { held, seconds, ...check } };
}

/** Everything sent was held, and handled once and in order. */
export function isWhole({ sent, handled, release }: Awaited<ReturnType<typeof measureRelease>>): boolean {
  return release.held === sent && handled === sent && release.lost + release.twice + release.out_of_order === 0;
}

interface ReleaseCheck {
  readonly lost: number;
  readonly twice: number;
  readonly out_of_order: number;
}

/** Compares what the handlers noted, in the order they did, with what is stored: per integration the order of arrival. */
async function checkOrder(file: string, arrived: ReadonlyMap<string, readonly string[]>): Promise<ReleaseCheck> {
  const handled = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '');
  const integrationOf = new Map([...arrived].flatMap(([id, ids]) => ids.map(delivery => [delivery, id] as const)));
  const seen = new Map<string, string[]>();
  for (const delivery of handled) {
    const integration = integrationOf.get(delivery) ?? 'unknown';
    seen.set(integration, [...(seen.get(integration) ?? []), delivery]);
  }
  const check = { lost: 0, twice: handled.length - new Set(handled).size, out_of_order: 0 };
  for (const [integration, ids] of arrived) {
    const place = new Map(ids.map((delivery, index) => [delivery, index]));
    const order = (seen.get(integration) ?? []).map(delivery => place.get(delivery) ?? -1);
    check.lost += ids.length - new Set(order).size;
    check.out_of_order += order.filter((at, index) => index > 0 && at < (order[index - 1] ?? 0)).length;
  }
  return check;
}
