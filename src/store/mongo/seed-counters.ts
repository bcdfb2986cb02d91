import { Long } from 'mongodb';
import { z } from 'zod';
import type { Collections } from './connect.js';
import { counterNames } from './draw-numbers.js';
import { putOnce } from './put-once.js';

/** Where the numbers of each counter are stored. */
const uses: Readonly<Record<(typeof counterNames)[number], readonly (readonly [keyof Collections, string])[]>> = {
  grants: [
    ['sessions', 'grantSequence'],
    ['credentials', 'grantSequence'],
    ['entities', 'grantSequence'],
  ],
  deliveries: [['deliveries', 'sequence']],
  fences: [
    ['consumers', 'fence'],
    ['deliveries', 'fence'],
  ],
};

/**
 * Makes the counters that are missing, each at the highest number in use: 0 in a new database, and more in one that was
 * restored without its counters, where numbers from 1 on would let older grants win.
 *
 * Nobody draws from a counter that is missing, so no number rises between the look and the write; of several processes at
 * once the first one's write stands.
 */
export async function seedCounters(collections: Collections): Promise<void> {
  for (const name of await findMissingCounters(collections)) {
    const highest = await Promise.all(uses[name].map(([kind, field]) => readHighest(collections, kind, field)));
    await putOnce(collections.counters, name, { value: Long.fromNumber(Math.max(...highest)) });
  }
}

const known = z.array(z.object({ _id: z.enum(counterNames) }));

export async function findMissingCounters({
  counters,
}: Collections): Promise<readonly (typeof counterNames)[number][]> {
  const found = known.parse(await counters.find({ _id: { $in: [...counterNames] } }).toArray());
  return counterNames.filter(name => !found.some(({ _id }) => _id === name));
}

/** By no index: once in a database's life. */
async function readHighest(collections: Collections, kind: keyof Collections, field: string): Promise<number> {
  const [highest] = await collections[kind]
    .find({}, { projection: { [field]: 1 } })
    .sort({ [field]: -1 })
    .limit(1)
    .toArray();
  const value: unknown = highest?.[field];
  return typeof value === 'number' ? value : 0;
}
