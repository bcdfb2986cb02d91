import { createHash } from 'node:crypto';
import { type RecordKind, recordKinds, type RecordStore } from './records.js';
import { walkRecords } from './walk-records.js';

export interface RecordSum {
  readonly counts: Readonly<Record<RecordKind, number>>;
  /** SHA-256 over every record's kind and text, in the order of the walk; hexadecimal. */
  readonly checksum: string;
}

/** Counts and adds up what is walked past it. */
export class RecordSummer {
  private readonly hash = createHash('sha256');
  private readonly counts = Object.fromEntries(recordKinds.map(kind => [kind, 0])) as Record<RecordKind, number>;

  add({ kind, canonical }: { readonly kind: RecordKind; readonly canonical: string }): void {
    this.counts[kind] += 1;
    this.hash.update(`${kind} ${canonical}\n`);
  }

  end(): RecordSum {
    return { counts: this.counts, checksum: this.hash.digest('hex') };
  }
}

/** Walks past everything in a store. */
export async function sumRecords(store: RecordStore): Promise<RecordSum> {
  const summer = new RecordSummer();
  for await (const record of walkRecords(store)) summer.add(record);
  return summer.end();
}

export const isSameSum = (one: RecordSum, other: RecordSum): boolean =>
  one.checksum === other.checksum && recordKinds.every(kind => one.counts[kind] === other.counts[kind]);
