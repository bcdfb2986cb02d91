import { pickPort } from '../../../embedded/pick-port.js';
import type { BenchStack } from '../start-bench-stack.js';
import { untilAnswering } from '../webhooks/until-answering.js';
import { type CallerResult, callerResultSchema, type CallerTask } from './caller-contract.js';

export const processes = 4;

/** The caller processes. Each task is given to all of them at the same time, or to one. */
export class Callers {
  private constructor(private readonly urls: readonly string[]) {}

  static async start(stack: BenchStack, say: (line: string) => void): Promise<Callers> {
    const urls: string[] = [];
    for (let index = 0; index < processes; index += 1) {
      const port = await pickPort(undefined, 'callers', say);
      await stack.run(`callers-${index + 1}`, 'cli/bench/refresh/caller.js', [String(port)], {
        ...stack.settings,
        RELINK_DATABASE_POOL: '4',
      });
      urls.push(`http://127.0.0.1:${port}`);
    }
    for (const url of urls) await untilAnswering(url);
    return new Callers(urls);
  }

  async all(task: CallerTask): Promise<CallerResult> {
    const results = await Promise.all(this.urls.map(url => ask(url, task)));
    const failures: Record<string, number> = {};
    for (const [end, count] of results.flatMap(result => Object.entries(result.failures))) {
      failures[end] = (failures[end] ?? 0) + count;
    }
    return {
      ok: results.reduce((sum, { ok }) => sum + ok, 0),
      failures,
      ms: results.flatMap(({ ms }) => ms),
      bareMs: results.flatMap(({ bareMs }) => bareMs),
    };
  }

  one(task: CallerTask): Promise<CallerResult> {
    return ask(this.urls[0] ?? '', task);
  }
}

async function ask(url: string, task: CallerTask): Promise<CallerResult> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(task) });
  if (!answer.ok) throw new Error(`a caller process answered ${answer.status}`);
  return callerResultSchema.parse(await answer.json());
}
