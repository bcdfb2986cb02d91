/**
 * What is moved between two stores, in the order in which it can be written: a record comes after those it refers to.
 * Consumers are left out: a delivery that one of them held is moved as queued and suspect, as if it had died.
 */
export const recordKinds = [
  'credentials',
  'entities',
  'integrations',
  'authorization_sessions',
  'deliveries',
  'subscriptions',
  'token_reads',
] as const;
export type RecordKind = (typeof recordKinds)[number];

/** The columns that tell a record from all others; lists are in their order. */
export const keyColumns: Readonly<Record<RecordKind, readonly string[]>> = {
  credentials: ['id'],
  entities: ['id'],
  integrations: ['id'],
  authorization_sessions: ['id'],
  deliveries: ['integration_id', 'id'],
  subscriptions: ['integration_id'],
  token_reads: ['id'],
};

/** A record as PostgreSQL's columns name it, with values as JSON has them: a time is ISO 8601, null is left out. */
export type TransferRecord = Readonly<Record<string, unknown>>;

/** The highest number of each counter that was given out. */
export type Counters = Readonly<Record<'grants' | 'deliveries', number>>;

/** Everything in a database, to be read and written record by record. */
export interface RecordStore {
  /** The next records after this key, in the order of their keys; none when there are no more. */
  read(kind: RecordKind, after: readonly string[]): Promise<readonly TransferRecord[]>;
  /** Writes those that are not there; leaves those that are. */
  write(kind: RecordKind, records: readonly TransferRecord[]): Promise<void>;
  readCounters(): Promise<Counters>;
  /** Never lowers one. Nobody else may draw numbers meanwhile. */
  raiseCounters(counters: Counters): Promise<void>;
  /** From here on the store's `check()` says `import_unfinished`, also when the import dies, until it has ended. */
  beginImport(): Promise<void>;
  endImport(): Promise<void>;
  close(): Promise<void>;
}

/** Stands among the applied migrations while an import is unfinished. */
export const importMark = 'import_under_way';

/** Few, since a delivery's content may be a megabyte. */
export const recordsAtOnce = 50;

export const isTime = (column: string) => /(_at|_since)$/.test(column);

/** One text for one record, whichever store it came from: columns in order, no nulls, times in one form. */
export function toCanonical(record: TransferRecord): string {
  const columns = Object.keys(record)
    .filter(column => record[column] !== null && record[column] !== undefined)
    .sort();
  return JSON.stringify(
    Object.fromEntries(
      columns.map(column => {
        const value = record[column];
        return [column, isTime(column) ? new Date(String(value)).toISOString() : inOrder(value)];
      }),
    ),
  );
}

/** Objects with their keys in order, at any depth. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

export const keyOf = (kind: RecordKind, record: TransferRecord): readonly string[] =>
  keyColumns[kind].map(column => String(record[column]));
