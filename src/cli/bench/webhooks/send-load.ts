import { Pool } from 'undici';
import { signWebhook } from '../../../embedded/sandbox/send-webhook.js';
import { percentile, round } from '../statistics.js';

const padding = 'x'.repeat(900);
let deliveries = 0;

export interface LoadTarget {
  readonly origin: string;
  /** Paths to post to, in turn. */
  readonly paths: readonly string[];
  readonly secret: string;
}

export interface LoadResult {
  readonly sent: number;
  readonly seconds: number;
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
}

/** About one kilobyte; `n` counts per path, so that a handler can tell the order. */
function makeBody(n: number): string {
  return JSON.stringify({ n, event: 'contact.updated', contact: { id: n, note: padding } });
}

/** Posts as fast as `connections` allow, for so many requests or so long. Any answer but 200 is an error. */
export async function sendLoad(
  { origin, paths, secret }: LoadTarget,
  limit: { readonly count: number } | { readonly ms: number },
  connections = 32,
): Promise<LoadResult> {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const times: number[] = [];
  const startedAt = performance.now();
  let begun = 0;
  const goesOn = () => ('count' in limit ? begun < limit.count : performance.now() - startedAt < limit.ms);
  const send = async () => {
    while (goesOn()) {
      const index = begun++;
      const path = paths[index % paths.length] ?? '';
      const body = makeBody(Math.floor(index / paths.length));
      const headers = signWebhook(body, secret, `load-${deliveries++}`);
      const at = performance.now();
      const answer = await pool.request({ path, method: 'POST', headers, body });
      await answer.body.dump();
      times.push(performance.now() - at);
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  return {
    sent: times.length,
    seconds,
    rps: round(times.length / seconds, 1),
    p50: round(percentile(times, 0.5)),
    p99: round(percentile(times, 0.99)),
  };
}

/** Posts at an even pace. */
export async function sendPaced(target: LoadTarget, perSecond: number, seconds: number): Promise<number> {
  const pool = new Pool(target.origin, { connections: 32, pipelining: 1 });
  const total = perSecond * seconds;
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < total; index += 1) {
    const dueAt = startedAt + (index * 1000) / perSecond;
    while (performance.now() < dueAt) await new Promise(resolve => setTimeout(resolve, 1));
    const body = makeBody(Math.floor(index / target.paths.length));
    const path = target.paths[index % target.paths.length] ?? '';
    const headers = signWebhook(body, target.secret, `paced-${deliveries++}`);
    running.push(
      pool.request({ path, method: 'POST', headers, body }).then(async answer => {
        await answer.body.dump();
        if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
      }),
    );
  }
  await Promise.all(running);
  await pool.close();
  return total;
}
