import { readFile } from 'node:fs/promises';
import { round } from '../statistics.js';

export interface ReleaseCheck {
  readonly lost: number;
  readonly twice: number;
  readonly out_of_order: number;
}

/** Compares what the handlers noted with what was sent: `perIntegration` deliveries each, numbered from 0. */
export async function checkOrder(file: string, integrations: number, perIntegration: number): Promise<ReleaseCheck> {
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

export const seconds = (fromMs: number, toMs: number) => round((toMs - fromMs) / 1000);
