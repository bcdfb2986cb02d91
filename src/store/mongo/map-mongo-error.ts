import {
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { RelinkError } from '../../errors.js';
import type { MongoProfile } from './read-mongo-url.js';

/**
 * Codes of a server that cannot serve this now, though another member or a later moment can: not the primary, stepping
 * down, shutting down, unreachable, no majority, a time limit, and a user or password that is refused.
 *
 * @see https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
const unavailableCodes = new Set([
  ...[6, 7, 63, 89, 91, 133, 134, 150, 189, 234, 262, 317, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436],
  ...[50, 64, 79, 100, 8000],
  // Locks, cursors that went with a failover, a disk that is full.
  ...[24, 43, 46, 202, 237, 14_031],
  ...[13, 18, 11],
]);
/** Amazon's: writes are throttled. On MongoDB the code says that an update contradicts itself. */
const throttled = 40;
/** `mongodb+srv://` is resolved by queries of its own, which fail by codes of their own. */
export const resolvingCodes = new Set([
  ...['ENOTFOUND', 'EAI_AGAIN', 'ETIMEOUT', 'ESERVFAIL', 'ENODATA', 'EREFUSED', 'ENOTIMP', 'EBADRESP', 'EFORMERR'],
]);
const socketCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...resolvingCodes,
]);
/** Of a file that the URL names (`tlsCAFile=`, `tlsCertificateKeyFile=`), which the driver opens when it connects. */
const fileCodes = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR', 'ELOOP']);
const conflictCodes = new Set([112, 251]);
const duplicateKey = 11_000;

/** Names of driver errors that are about the connection and no subclass of the network error. */
const unavailableNames = new Set([
  ...['MongoPoolClearedError', 'MongoWaitQueueTimeoutError', 'MongoPoolClosedError', 'MongoClientClosedError'],
  ...['MongoServerClosedError', 'MongoTopologyClosedError', 'MongoNotConnectedError', 'MongoExpiredSessionError'],
  ...['MongoOperationTimeoutError', 'MongoCompatibilityError', 'MongoWriteConcernError'],
]);

/**
 * Turns what the driver throws into the registry's errors; anything that is not about the connection comes back as it
 * is. Whether a write whose answer was lost took place, nobody knows: callers repeat it, every write can be.
 */
export function toMongoStoreError(error: unknown, profile: MongoProfile = 'mongodb'): unknown {
  if (error instanceof RelinkError) return error;
  if (isSocketError(error) || findUnreadableFile(error) !== undefined) {
    return new RelinkError('database_unavailable', undefined, { cause: error });
  }
  if (!(error instanceof MongoError)) return error;
  const codes = codesOf(error);
  if (codes.some(code => conflictCodes.has(code))) {
    return new RelinkError('write_conflict', undefined, { cause: error });
  }
  const isAway = isUnavailable(error, codes) || (profile === 'documentdb' && codes.includes(throttled));
  return isAway ? new RelinkError('database_unavailable', undefined, { cause: error }) : error;
}

/** The path of the file that could not be opened, where that is what failed. */
export function findUnreadableFile(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error && 'path' in error)) return undefined;
  const { code, path } = error;
  return typeof code === 'string' && fileCodes.has(code) && typeof path === 'string' ? path : undefined;
}

/** The driver hands on what a socket fails with at some moments. */
function isSocketError(error: unknown): boolean {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && socketCodes.has(code);
}

/**
 * Of many writes in one message each has a code of its own; that of one that was there already tells nothing of the
 * others. A later message may have failed as a whole besides, with the code of that.
 */
function codesOf(error: MongoError): readonly number[] {
  const own = typeof error.code === 'number' ? [error.code] : [];
  if (!(error instanceof MongoBulkWriteError)) return own;
  const codes = [...own, ...error.result.getWriteErrors().map(({ code }) => code)];
  return codes.filter(code => code !== duplicateKey);
}

/** The driver wraps what fails a whole message of many writes, such as a lost connection: what it is, the inner one tells. */
function unwrap(error: MongoError): MongoError {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof MongoError
    ? error.errorResponse
    : error;
}

const reachedNoMajority = (error: MongoError) =>
  error instanceof MongoBulkWriteError && error.result.getWriteConcernError() !== undefined;

function isUnavailable(error: MongoError, codes: readonly number[]): boolean {
  const inner = unwrap(error);
  return (
    reachedNoMajority(error) ||
    inner instanceof MongoNetworkError ||
    inner instanceof MongoServerSelectionError ||
    unavailableNames.has(inner.name) ||
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    codes.some(code => unavailableCodes.has(code))
  );
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey;
}

/**
 * The places, in the array given to insertMany, of those that exist already. Anything else that failed is thrown.
 *
 * The driver sends what is too large for one message in several, and where a later one is lost, its error tells of the
 * earlier ones only: each of the `count` documents has to be accounted for, as written or as there already.
 */
export function readDuplicates(error: unknown, count: number): readonly number[] {
  if (!(error instanceof MongoBulkWriteError) || reachedNoMajority(error)) throw error;
  const failures = error.result.getWriteErrors();
  if (failures.some(({ code }) => code !== duplicateKey)) throw error;
  if (error.result.insertedCount + failures.length !== count) throw error;
  return failures.map(({ index }) => index);
}
