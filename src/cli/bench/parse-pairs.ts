import { parseArgs } from 'node:util';
import { z } from 'zod';

const count = z.coerce.number().int().min(1).max(100_000);

/**
 * Reads `--pairs N` from a command's arguments; 500 without it.
 *
 * @throws Error with one plain sentence, for anything else than a whole number and for unknown options.
 */
export function parsePairs(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { pairs: { type: 'string', default: '500' } } });
  const parsed = count.safeParse(values.pairs);
  if (!parsed.success) throw new Error(`--pairs must be a whole number from 1 to 100000, not "${values.pairs}"`);
  return parsed.data;
}
