import { RelinkError } from '../../errors.js';

/** How long a connection may take to be made, or to come free in the pool. */
export const connectTimeoutMs = 5_000;
/** How long PostgreSQL may work on one statement. */
export const defaultStatementTimeoutMs = 15_000;

/**
 * Codes that say "not this time" of the connection, not of the statement: Node's socket errors, Prisma's P-codes and
 * PostgreSQL's SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const unavailableCodes = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EPIPE',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOENT',
  ],
  // P1000 and P1003: a wrong password or database name is the operator's to mend; to a caller nothing is reachable.
  ...['P1000', 'P1001', 'P1002', 'P1003', 'P1008', 'P1010', 'P1011', 'P1017', 'P2024', 'P2028', 'P2037'],
  // Class 08 (connection), 28 (authorization), then: unknown database, read-only (a server that was the primary),
  // too many connections, statement timeout, shutdown, crash, starting up, idle session ended.
  ...['08000', '08001', '08003', '08004', '08006', '08P01', '28000', '28P01', '3D000', '25006', '53300'],
  ...['57014', '57P01', '57P02', '57P03', '57P05'],
  // A right that the user lacks: the operator's to mend, as a wrong password is.
  '42501',
  // The server is in want of something: disk full, out of memory, a lock; class 58 (its own input and output).
  ...['53000', '53100', '53200', '55P03', '58000', '58030', '58P01', '58P02'],
  // What the driver adapter calls these, where Prisma only says P2010, "raw query failed".
  ...['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections', 'TlsConnectionError'],
  ...['AuthenticationFailed', 'DatabaseAccessDenied', 'DatabaseDoesNotExist'],
]);

/** The server asks for a password, and there is none. */
export const noPassword = 'client password must be a string';

/** What node-postgres and its pool throw without a code. */
const unavailableMessages = [
  noPassword,
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Client has encountered a connection error and is not queryable',
  'Query read timeout',
  'Cannot use a pool after calling end on the pool',
];

/** A serialisation failure or deadlock: PostgreSQL chose this statement to give way. */
const conflictCodes = new Set(['40001', '40P01', 'P2034', 'TransactionWriteConflict']);
/** A foreign key: what a row refers to went at the same moment, or was referred to as it was to go. */
export const referenceCodes = new Set(['23503', '23001']);

/** Text that PostgreSQL cannot hold, such as a NUL character; only a caller's input brings it here. */
const unstorableTextCodes = new Set(['22021', '22P05']);

/**
 * Turns what the database layers throw into the registry's errors; anything that is not about the connection or the
 * input comes back as it is. The one place that knows all their dialects: the same lost connection surfaces as a
 * socket error, a driver adapter error, a Prisma error or a bare message, depending on the moment.
 */
export function toStoreError(error: unknown): unknown {
  if (error instanceof RelinkError) return error;
  const { codes, messages } = collectCauses(error);
  if (codes.some(code => conflictCodes.has(code) || referenceCodes.has(code)))
    return new RelinkError('write_conflict', undefined, { cause: error });
  if (codes.some(code => unstorableTextCodes.has(code))) {
    return new RelinkError('invalid_request', 'the text holds characters that cannot be stored', { cause: error });
  }
  const unavailable =
    codes.some(code => unavailableCodes.has(code)) ||
    messages.some(message => unavailableMessages.some(part => message.includes(part)));
  return unavailable ? new RelinkError('database_unavailable', undefined, { cause: error }) : error;
}

interface Found {
  readonly codes: string[];
  readonly messages: string[];
}

/** Collects codes and messages of an error and of everything it wraps. */
export function collectCauses(error: unknown, found: Found = { codes: [], messages: [] }, depth = 0): Found {
  if (typeof error !== 'object' || error === null || depth > 6) return found;
  for (const key of ['code', 'originalCode', 'errorCode', 'kind']) {
    const value = read(error, key);
    if (typeof value === 'string') found.codes.push(value);
  }
  const message = read(error, 'message');
  if (typeof message === 'string') found.messages.push(message);
  for (const key of ['cause', 'meta', 'driverAdapterError']) collectCauses(read(error, key), found, depth + 1);
  const errors = read(error, 'errors');
  if (Array.isArray(errors)) for (const inner of errors) collectCauses(inner, found, depth + 1);
  return found;
}

function read(value: object, key: string): unknown {
  return key in value ? Reflect.get(value, key) : undefined;
}
