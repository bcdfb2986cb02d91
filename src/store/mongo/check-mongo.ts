import { RelinkError } from '../../errors.js';
import type { Collections } from './connect.js';
import { importMark } from '../transfer/records.js';
import { schemaChanges } from './migrate.js';
import { findMissingCounters } from './seed-counters.js';

/**
 * Resolves when the database answers and holds every change of this release.
 *
 * @throws RelinkError `database_not_migrated` naming the pending changes or the counters that are missing, or `import_unfinished`.
 */
export async function checkMongo(collections: Collections): Promise<void> {
  const { migrations } = collections;
  const found = await migrations.find({ _id: { $in: [...schemaChanges, importMark] } }).toArray();
  const applied = new Set(found.map(({ _id }) => _id));
  const pending = schemaChanges.filter(name => !applied.has(name));
  if (pending.length > 0) throw new RelinkError('database_not_migrated', `pending: ${pending.join(', ')}`);
  const missing = await findMissingCounters(collections);
  if (missing.length > 0) {
    throw new RelinkError('database_not_migrated', `missing: the counters ${missing.join(', ')}`);
  }
  if (applied.has(importMark)) throw new RelinkError('import_unfinished');
}
