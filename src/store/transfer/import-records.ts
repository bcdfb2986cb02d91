import { RelinkError } from '../../errors.js';
import {
  keyOf,
  type RecordKind,
  recordKinds,
  recordsAtOnce,
  type RecordStore,
  toCanonical,
  type TransferRecord,
} from './records.js';
import { RecordSummer, type RecordSum } from './sum-records.js';
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
  let batch: { kind: RecordKind; records: TransferRecord[] } | undefined;
  const flush = async () => {
    if (batch !== undefined) await store.write(batch.kind, batch.records);
    batch = undefined;
  };
  for await (const line of readTransferFile(file)) {
    if ('end' in line) break;
    if (batch !== undefined && (batch.kind !== line.kind || batch.records.length >= recordsAtOnce)) await flush();
    batch ??= { kind: line.kind, records: [] };
    batch.records.push(line.record);
  }
  await flush();
  const summer = new RecordSummer();
  for await (const record of walkRecords(store)) summer.add(record);
  compare(summer.end(), end, 'what was read back from the database is not what the file holds');
  await store.endImport();
  return end;
}

/** File and database are in one order, so one walk past both tells whether the one holds all of the other. */
async function checkFile(store: RecordStore, file: string): Promise<FileEnd> {
  const present = walkRecords(store);
  let next = await takeNext(present);
  const summer = new RecordSummer();
  for await (const line of readTransferFile(file)) {
    if ('end' in line) {
      if (next !== undefined) throw foreign(next);
      compare(summer.end(), line.end, `${file} was changed since it was exported`);
      return line.end;
    }
    const record = { kind: line.kind, canonical: toCanonical(line.record) };
    summer.add(record);
    const key = keyOf(line.kind, line.record);
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
  const differs = recordKinds.some(kind => found.counts[kind] !== wanted.counts[kind]);
  if (differs || found.checksum !== wanted.checksum) throw new RelinkError('invalid_request', otherwise);
}
