import { z } from 'zod';
import { entityKeySeparator } from '../stored-shapes.js';
import type { RecordKind, TransferRecord } from './records.js';

const entity = z.object({ credential_id: z.string() });
const integration = z.object({ entity_key: z.string() });

/**
 * Looks whether everything that a record refers to has come before it: what PostgreSQL's foreign keys hold, and nothing
 * but the code does on MongoDB. Keeps the ids of all credentials and entities in memory, some 100 bytes each.
 */
export class ReferenceChecker {
  private readonly seen = { credentials: new Set<string>(), entities: new Set<string>() };
  /** What is wrong with the first record that refers to something missing. */
  problem: string | undefined;

  add(kind: RecordKind, key: readonly string[], record: TransferRecord): void {
    const [id = ''] = key;
    if (kind === 'entities') this.expect('credentials', [entity.parse(record).credential_id], `entity ${id}`);
    if (kind === 'integrations') {
      this.expect('entities', integration.parse(record).entity_key.split(entityKeySeparator), `integration ${id}`);
    }
    if (kind === 'credentials' || kind === 'entities') this.seen[kind].add(id);
  }

  private expect(kind: keyof typeof this.seen, ids: readonly string[], by: string): void {
    const missing = ids.find(id => !this.seen[kind].has(id));
    if (missing !== undefined) this.problem ??= `${by} refers to ${missing}, which is not among the ${kind}`;
  }
}
