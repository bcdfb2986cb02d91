import { RelinkError } from '../../errors.js';

/** As the server counts: the major version by ten thousands. */
const oldestServer = 140_000;

/** Among the causes of a `database_unavailable`: explain-database-error.ts tells it. */
export const serverTooOld = 'ServerTooOld';

/**
 * @param version What the server has for `server_version_num`.
 * @throws RelinkError `database_unavailable` for a server older than PostgreSQL 14.
 */
export function refuseOldServer(version: number): void {
  if (version >= oldestServer) return;
  const cause = Object.assign(new Error(`server_version_num is ${version}`), { code: serverTooOld });
  throw new RelinkError('database_unavailable', undefined, { cause });
}
