import { createHash } from 'node:crypto';
import { entityKeySeparator } from '../stored-shapes.js';

/**
 * What stands for a set of entities in the unique key: a digest of their sorted ids, since the key of an index has a length
 * (2,048 bytes on DocumentDB) and a set of entities has none.
 */
export function entityKeyOf(entityIds: readonly string[]): string {
  return createHash('sha256').update(entityIds.join(entityKeySeparator)).digest('hex');
}
