import { readFile } from 'node:fs/promises';
import { ApiClient } from '../../api-client.js';
import { round } from '../statistics.js';
import { sendLoad } from './send-load.js';
import type { Stage } from './stage.js';

const heldCount = 10_000;

/** Deliveries held while the credential is dead, then a reconnect: seconds from its start to the last one handled. */
export async function measureRelease({ stack, database, dead, deadAccount, recorded, say, ...stage }: Stage) {
  await database.reset();
  await stage.startWorker();
  await sendLoad(stage.target(dead.integrationIds), { count: heldCount });
  const held = await database.count('queued');
  const startedAt = performance.now();
  const user = new ApiClient(stack.url, stack.apiKey, dead.userId);
  await user.connect(deadAccount, { entityId: dead.entityId });
  const seconds = round(((await database.untilDrained(300_000)) - startedAt) / 1000);
  const integrations = dead.integrationIds.length;
  const check = await checkOrder(recorded, integrations, heldCount / integrations);
  say(`release of ${held} held: ${seconds} s from the reconnect's start to the last one handled`);
  const handled = await database.count('succeeded');
  await stage.stopWorker();
  return { sent: heldCount, handled, release: { held, seconds, ...check } };
}

interface ReleaseCheck {
  readonly lost: number;
  readonly twice: number;
  readonly out_of_order: number;
}

/** Compares what the handlers noted with what was sent: `perIntegration` deliveries each, numbered from 0. */
async function checkOrder(file: string, integrations: number, perIntegration: number): Promise<ReleaseCheck> {
  const text = await readFile(file, 'utf8');
  const seen = new Map<number, number[]>();
  for (const line of text.split('\n')) {
    const [integration, n] = line.split(' ').map(Number);
    if (integration === undefined || n === undefined) continue;
    seen.set(integration, [...(seen.get(integration) ?? []), n]);
  }
  let lost = 0;
  let twice = 0;
  let outOfOrder = 0;
  for (let integration = 0; integration < integrations; integration += 1) {
    const numbers = seen.get(integration) ?? [];
    const distinct = new Set(numbers);
    lost += perIntegration - distinct.size;
    twice += numbers.length - distinct.size;
    outOfOrder += numbers.filter((n, index) => index > 0 && n < (numbers[index - 1] ?? 0)).length;
  }
  return { lost, twice, out_of_order: outOfOrder };
}
