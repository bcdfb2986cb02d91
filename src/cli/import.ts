import { importRecords } from '../store/transfer/import-records.js';
import { runTransfer } from './run-transfer.js';

/** `npm run import -- FILE`: what an export wrote, into the migrated database of `DATABASE_URL`, read back and compared. */
runTransfer({ usage: 'Usage: npm run import -- FILE', done: 'Imported from', resumes: true, run: importRecords });
