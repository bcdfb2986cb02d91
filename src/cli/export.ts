import { writeTransferFile } from '../store/transfer/transfer-file.js';
import { runTransfer } from './run-transfer.js';

/** `npm run export -- FILE`: everything in the database of `DATABASE_URL`, sealed as it is. Server and worker are stopped. */
runTransfer({
  usage: 'Usage: npm run export -- FILE',
  done: 'Exported to',
  resumes: false,
  note: 'What a server or worker that still runs writes from now on is not in the file.',
  run: writeTransferFile,
});
