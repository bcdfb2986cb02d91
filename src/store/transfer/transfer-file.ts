import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { RelinkError } from '../../errors.js';
import { parseJson } from '../../parse-json.js';
import { tellSystemError } from '../tell-system-error.js';
import { ReferenceChecker } from './check-references.js';
import {
  type Counters,
  type RecordKind,
  recordKinds,
  recordsAtOnce,
  type RecordStore,
  type TransferRecord,
} from './records.js';
import { readSchema } from './read-schema.js';
import { isSameSum, type RecordSum, RecordSummer, sumRecords } from './sum-records.js';
import { walkRecords } from './walk-records.js';

const line = z.object({ kind: z.enum(recordKinds), record: z.record(z.string(), z.unknown()) });
const count = z.number().int().nonnegative();
const lastLine = z.object({
  end: z.object({
    counts: z.object(Object.fromEntries(recordKinds.map(kind => [kind, count])) as Record<RecordKind, typeof count>),
    checksum: z.string(),
    counters: z.object({ grants: count, deliveries: count }),
    schema: z.string().default('an older one'),
  }),
});

export interface FileEnd extends RecordSum {
  readonly counters: Counters;
  /** See read-schema.ts. */
  readonly schema: string;
}
export interface FileLine {
  readonly kind: RecordKind;
  readonly record: TransferRecord;
  /** Of its line, in characters. */
  readonly size: number;
}

/**
 * Writes everything of a store to a file, beside its place first: what stands there is whole.
 *
 * No database of ours is asked for a snapshot: everything is read a second time, and the file counts only when nothing
 * differs. It is then what the store held at the moment between the two. A service that works meanwhile is found out by
 * this, and has to be: what it wrote after the export would be missing where it goes on.
 *
 * @throws RelinkError `invalid_request` where the file cannot be opened, the store was written to meanwhile, or a record
 *   refers to one that is not there.
 */
export async function writeTransferFile(store: RecordStore, file: string): Promise<FileEnd> {
  const draft = `${file}.draft`;
  const handle = await openFile(draft, file, 'w');
  try {
    const counters = await store.readCounters();
    const [summer, references] = [new RecordSummer(), new ReferenceChecker()];
    let lines: string[] = [];
    for await (const walked of walkRecords(store)) {
      summer.add(walked);
      references.add(walked.kind, walked.key, walked.record);
      lines.push(`{"kind":"${walked.kind}","record":${escapeSeparators(walked.canonical)}}\n`);
      if (lines.length < recordsAtOnce) continue;
      await handle.appendFile(lines.join(''));
      lines = [];
    }
    const end: FileEnd = { ...summer.end(), counters, schema: await readSchema() };
    await handle.appendFile(`${lines.join('')}${JSON.stringify({ end })}\n`);
    await handle.sync();
    await expectUnchanged(store, end);
    if (references.problem !== undefined) throw new RelinkError('invalid_request', references.problem);
    await rename(draft, file);
    return end;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function expectUnchanged(store: RecordStore, { counters, ...sum }: FileEnd): Promise<void> {
  const isSame = isSameSum(await sumRecords(store), sum);
  const now = await store.readCounters();
  if (isSame && now.grants === counters.grants && now.deliveries === counters.deliveries) return;
  throw new RelinkError(
    'invalid_request',
    'the database was written to while it was exported; stop server and worker, and export again',
  );
}

/**
 * The records of a file, then its end.
 *
 * @throws RelinkError `invalid_request` for a file that cannot be opened, for a line that is none of ours, and for a file
 *   that ends before its end.
 */
export async function* readTransferFile(file: string): AsyncGenerator<FileLine | { readonly end: FileEnd }> {
  const handle = await openFile(file, file, 'r');
  let number = 0;
  for await (const text of splitLines(handle)) {
    number += 1;
    const parsed = parseJson(text);
    const record = line.safeParse(parsed);
    if (record.success) {
      yield { ...record.data, size: text.length };
      continue;
    }
    const end = lastLine.safeParse(parsed);
    if (!end.success) throw new RelinkError('invalid_request', `line ${number} of ${file} is not of an export`);
    yield end.data;
    return;
  }
  throw new RelinkError('invalid_request', `${file} is not whole: its last line is missing`);
}

const separators = /[\u2028\u2029]/g;

/** Other programs, and Node's own readers of lines since version 24, take these two for the end of a line. */
function escapeSeparators(json: string): string {
  return json.replace(separators, found => (found === '\u2028' ? '\\u2028' : '\\u2029'));
}

/** Lines end at `\n` and nowhere else, which no reader of Node's promises for every version. */
async function* splitLines(handle: FileHandle): AsyncGenerator<string, undefined> {
  let begun = '';
  for await (const chunk of handle.createReadStream({ encoding: 'utf8' })) {
    const [first = '', ...more] = String(chunk).split('\n');
    begun += first;
    for (const next of more) {
      yield begun;
      begun = next;
    }
  }
  if (begun !== '') yield begun;
  return undefined;
}

/** @param told The name to tell: the one that was asked for. */
async function openFile(path: string, told: string, flags: 'r' | 'w'): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    throw new RelinkError('invalid_request', `${told} cannot be opened: ${tellSystemError(error)}`, { cause: error });
  }
}
