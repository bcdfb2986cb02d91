import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { RelinkError } from '../../errors.js';
import { type Counters, recordKinds, type RecordStore, type TransferRecord, type RecordKind } from './records.js';
import { type RecordSum, RecordSummer } from './sum-records.js';
import { walkRecords } from './walk-records.js';

const line = z.object({ kind: z.enum(recordKinds), record: z.record(z.string(), z.unknown()) });
const count = z.number().int().nonnegative();
const lastLine = z.object({
  end: z.object({
    counts: z.object(Object.fromEntries(recordKinds.map(kind => [kind, count])) as Record<RecordKind, typeof count>),
    checksum: z.string(),
    counters: z.object({ grants: count, deliveries: count }),
  }),
});

export type FileEnd = RecordSum & { readonly counters: Counters };
export interface FileLine {
  readonly kind: RecordKind;
  readonly record: TransferRecord;
}

/** Writes everything of a store to a file, beside its place first: what stands there is whole. */
export async function writeTransferFile(store: RecordStore, file: string): Promise<FileEnd> {
  const draft = `${file}.draft`;
  const stream = createWriteStream(draft, { mode: 0o600 });
  const put = async (text: string) => {
    if (!stream.write(`${text}\n`)) await once(stream, 'drain');
  };
  const summer = new RecordSummer();
  for await (const walked of walkRecords(store)) {
    summer.add(walked);
    await put(`{"kind":"${walked.kind}","record":${walked.canonical}}`);
  }
  const end: FileEnd = { ...summer.end(), counters: await store.readCounters() };
  await put(JSON.stringify({ end }));
  stream.end();
  await once(stream, 'close');
  await rename(draft, file);
  return end;
}

/**
 * The records of a file, then its end.
 *
 * @throws RelinkError `invalid_request` for a line that is none of ours, and for a file that ends before its end.
 */
export async function* readTransferFile(file: string): AsyncGenerator<FileLine | { readonly end: FileEnd }> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let number = 0;
  for await (const text of lines) {
    number += 1;
    const parsed = parse(text);
    const record = line.safeParse(parsed);
    if (record.success) {
      yield record.data;
      continue;
    }
    const end = lastLine.safeParse(parsed);
    if (!end.success) throw new RelinkError('invalid_request', `line ${number} of ${file} is not of an export`);
    yield end.data;
    return;
  }
  throw new RelinkError('invalid_request', `${file} is not whole: its last line is missing`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
