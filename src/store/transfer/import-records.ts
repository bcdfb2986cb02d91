import { RelinkError } from '../../errors.js';
import { largestLotBytes } from '../lot-size.js';
import { ReferenceChecker } from './check-references.js';
import {
  keyOf,
  type RecordKind,
  recordsAtOnce,
  type RecordStore,
  toCanonical,
  type TransferRecord,
} from './records.js';
import { readSchema } from './read-schema.js';
import { isSameSum, RecordSummer, type RecordSum, sumRecords } from './sum-records.js';
import { type FileEnd, readTransferFile } from './transfer-file.js';
import { walkRecords, type WalkedRecord } from './walk-records.js';

/**
 * Brings a database to what a file holds: first looks whether the file is whole and the database holds nothing but records
 * of it, then writes what is missing, then reads everything back. Interrupted, it can be run again.
 *
 * A database in which it died must not be worked with: grants and deliveries would be numbered below those that are there,
 * so that reconnects are lost. Hence the mark, and the counters before the first record.
 *
 * @throws RelinkError `invalid_request` when the file is not whole, the database holds other records, or what was read
 *   back is not what the file says.
 */
export async function importRecords(store: RecordStore, file: string): Promise<FileEnd> {
  const end = await checkFile(store, file);
  await store.beginImport();
  await store.raiseCounters(end.counters);
  let batch: { kind: RecordKind; records: TransferRecord[]; size: number } | undefined;
  const flush = async () => {
    if (batch !== undefined) await write(store, batch.kind, batch.records);
    batch = undefined;
  };
  for await (const line of readTransferFile(file)) {
    if ('end' in line) break;
    const { kind, record, size } = line;
    if (batch !== undefined && (batch.kind !== kind || isFull(batch, size))) await flush();
    batch ??= { kind, records: [], size: 0 };
    batch.records.push(record);
    batch.size += size;
  }
  await flush();
  compare(await sumRecords(store), end, 'what was read back from the database is not what the file holds');
  await store.endImport();
  return end;
}

/** By size too: fifty of the largest deliveries are more than a database takes in one statement. */
const isFull = ({ records, size }: { readonly records: readonly unknown[]; readonly size: number }, next: number) =>
  records.length >= recordsAtOnce || size + next > largestLotBytes;

/** When a lot cannot be written, writes each of it alone: to name the one that is refused, if it is one of them. */
async function write(store: RecordStore, kind: RecordKind, records: readonly TransferRecord[]): Promise<void> {
  try {
    await store.write(kind, records);
  } catch (error) {
    if (error instanceof RelinkError && error.retryable) throw error;
    for (const record of records) {
      await store.write(kind, [record]).catch((cause: unknown) => {
        const told = cause instanceof RelinkError ? (cause.detail ?? cause.message) : messageOf(cause);
        const name = `${kind} ${keyOf(kind, record).join(' ')}`;
        throw new RelinkError('invalid_request', `${name} cannot be written: ${told}`, { cause });
      });
    }
  }
}

/** Never more: what drivers put beside it holds the whole row. */
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** File and database are in one order, so one walk past both tells whether the one holds all of the other. */
async function checkFile(store: RecordStore, file: string): Promise<FileEnd> {
  const schema = await readSchema();
  const present = walkRecords(store);
  let next = await takeNext(present);
  const summer = new RecordSummer();
  const references = new ReferenceChecker();
  for await (const line of readTransferFile(file)) {
    if ('end' in line) {
      if (line.end.schema !== schema) {
        throw new RelinkError(
          'invalid_request',
          `${file} was exported by a release with the schema ${line.end.schema}, this one has ${schema}; take the same release for both`,
        );
      }
      if (next !== undefined) throw foreign(next);
      compare(summer.end(), line.end, `${file} was changed since it was exported`);
      if (references.problem !== undefined) throw new RelinkError('invalid_request', references.problem);
      return line.end;
    }
    const record = { kind: line.kind, canonical: toCanonical(line.record) };
    summer.add(record);
    const key = keyOf(line.kind, line.record);
    references.add(line.kind, key, line.record);
    if (next === undefined || !isSame(next, line.kind, key)) continue;
    if (next.canonical !== record.canonical) throw foreign(next);
    next = await takeNext(present);
  }
  throw new RelinkError('invalid_request', `${file} is not whole`);
}

async function takeNext(walk: AsyncGenerator<WalkedRecord, undefined>): Promise<WalkedRecord | undefined> {
  return (await walk.next()).value;
}

const isSame = (record: WalkedRecord, kind: RecordKind, key: readonly string[]) =>
  record.kind === kind && record.key.every((part, place) => part === key[place]);

const foreign = ({ kind, key }: WalkedRecord) =>
  new RelinkError(
    'invalid_request',
    `the database holds a record that the file does not, or another version of it: ${kind} ${key.join(' ')}`,
  );

function compare(found: RecordSum, wanted: RecordSum, otherwise: string): void {
  if (!isSameSum(found, wanted)) throw new RelinkError('invalid_request', otherwise);
}
