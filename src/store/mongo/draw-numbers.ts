import { Long } from 'mongodb';
import { RelinkError } from '../../errors.js';
import type { Collections } from './connect.js';

/** `grants` numbers grants over all sessions, `deliveries` the order of arrival, `fences` every consumer there ever was. */
export const counterNames = ['grants', 'deliveries', 'fences'] as const;
type CounterName = (typeof counterNames)[number];

/**
 * Draws `count` numbers that nobody else is given, and returns the first. Numbers of a write that fails are lost, as with a
 * sequence. A missing counter is never begun anew here: numbers that start again below those in use would let an older
 * grant win.
 *
 * @throws RelinkError `database_not_migrated` when the counter is missing.
 */
export async function drawNumbers({ counters }: Collections, name: CounterName, count: number): Promise<number> {
  const counter = await counters.findOneAndUpdate(
    { _id: name },
    { $inc: { value: Long.fromNumber(count) } },
    { returnDocument: 'after' },
  );
  const value: unknown = counter?.['value'];
  if (typeof value !== 'number') throw new RelinkError('database_not_migrated', `the counter ${name} is missing`);
  return value - count + 1;
}
