import { loadDatabaseUrl } from '../config.js';
import { ConfigError, RelinkError } from '../errors.js';
import { explainStoreError, openRecords, openStore } from '../store/open-store.js';
import type { RecordStore } from '../store/transfer/records.js';
import type { FileEnd } from '../store/transfer/transfer-file.js';

/**
 * Runs an export or import over the database of `DATABASE_URL` and the file that the arguments name. Ends the process
 * with exit code 1 and a plain line where it fails.
 *
 * @param done What the line at the end begins with.
 */
export function runTransfer(
  usage: string,
  done: string,
  transfer: (records: RecordStore, file: string) => Promise<FileEnd>,
): void {
  main(usage, done, transfer).catch((error: unknown) => {
    if (error instanceof ConfigError) for (const problem of error.problems) console.error(problem);
    else console.error(tell(error));
    process.exitCode = 1;
  });
}

/** What a request is told of a malformed one is no help on a command line. */
function tell(error: unknown): unknown {
  if (!(error instanceof RelinkError)) return error;
  return error.code === 'invalid_request' ? (error.detail ?? error.message) : error.message;
}

async function main(
  usage: string,
  done: string,
  transfer: (records: RecordStore, file: string) => Promise<FileEnd>,
): Promise<void> {
  const [file, ...more] = process.argv.slice(2);
  if (file === undefined || more.length > 0) throw new ConfigError([usage]);
  const databaseUrl = loadDatabaseUrl(process.env).reveal();
  try {
    const store = await openStore({ databaseUrl, poolSize: 1 });
    await store.check().finally(() => store.close());
    const records = await openRecords({ databaseUrl });
    const { counts, checksum } = await transfer(records, file).finally(() => records.close());
    for (const [kind, count] of Object.entries(counts)) console.log(`${kind}: ${count}`);
    console.log(`${done} ${file}, checksum ${checksum}`);
  } catch (error) {
    throw await explainStoreError(error, databaseUrl);
  }
}
