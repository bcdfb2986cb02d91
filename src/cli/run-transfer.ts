import { loadDatabaseUrl } from '../config.js';
import { ConfigError, RelinkError } from '../errors.js';
import { explainStoreError, openRecords, openStore } from '../store/open-store.js';
import type { Store } from '../store/port/store.js';
import type { RecordStore } from '../store/transfer/records.js';
import type { FileEnd } from '../store/transfer/transfer-file.js';

export interface Transfer {
  readonly usage: string;
  /** What the line at the end begins with. */
  readonly done: string;
  /** Whether it goes on in a database where an import was interrupted. */
  readonly resumes: boolean;
  /** Told before the counts. */
  readonly note?: string;
  readonly run: (records: RecordStore, file: string) => Promise<FileEnd>;
}

/**
 * Runs an export or import over the database of `DATABASE_URL` and the file that the arguments name. Ends the process
 * with exit code 1 and a plain line where it fails.
 */
export function runTransfer(transfer: Transfer): void {
  main(transfer).catch((error: unknown) => {
    if (error instanceof ConfigError) for (const problem of error.problems) console.error(problem);
    else console.error(tell(error));
    process.exitCode = 1;
  });
}

/**
 * What a request is told of a malformed one is no help on a command line. Of anything unforeseen its message alone: what
 * drivers put beside it may hold a whole record.
 */
function tell(error: unknown): string {
  if (!(error instanceof RelinkError)) return error instanceof Error ? error.message : String(error);
  return error.code === 'invalid_request' ? (error.detail ?? error.message) : error.message;
}

async function main({ usage, done, resumes, note, run }: Transfer): Promise<void> {
  const [file, ...more] = process.argv.slice(2);
  // A file of such a name is meant as ./-name.
  if (file === undefined || file.startsWith('-') || more.length > 0) throw new ConfigError([usage]);
  const databaseUrl = loadDatabaseUrl(process.env).reveal();
  try {
    const store = await openStore({ databaseUrl, poolSize: 1 });
    await checkStore(store, resumes).finally(() => store.close());
    const records = await openRecords({ databaseUrl });
    const { counts, checksum } = await run(records, file).finally(() => records.close());
    if (note !== undefined) console.log(note);
    for (const [kind, count] of Object.entries(counts)) console.log(`${kind}: ${count}`);
    console.log(`${done} ${file}, checksum ${checksum}`);
  } catch (error) {
    throw await explainStoreError(error, databaseUrl);
  }
}

async function checkStore(store: Store, resumes: boolean): Promise<void> {
  try {
    await store.check();
  } catch (error) {
    if (!(resumes && error instanceof RelinkError && error.code === 'import_unfinished')) throw error;
  }
}
