import { keyOf, type RecordKind, recordKinds, type RecordStore, toCanonical, type TransferRecord } from './records.js';

export interface WalkedRecord {
  readonly kind: RecordKind;
  /** The values of its key columns. */
  readonly key: readonly string[];
  readonly canonical: string;
  readonly record: TransferRecord;
}

/** Every record of a store, kind by kind, each kind in the order of its keys. */
export async function* walkRecords(store: RecordStore): AsyncGenerator<WalkedRecord, undefined> {
  for (const kind of recordKinds) {
    let after: readonly string[] = [];
    for (;;) {
      const records = await store.read(kind, after);
      if (records.length === 0) break;
      for (const record of records) {
        after = keyOf(kind, record);
        yield { kind, key: after, canonical: toCanonical(record), record };
      }
    }
  }
  return undefined;
}
