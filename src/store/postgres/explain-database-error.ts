import { lookup } from 'node:dns/promises';
import { ConfigError, RelinkError } from '../../errors.js';
import { collectCauses, noPassword } from './map-database-error.js';
import { serverTooOld } from './refuse-old-server.js';

/** Codes of the three layers (see map-database-error.ts) by what an operator has to look at. */
const reasons: readonly (readonly [
  codes: readonly string[],
  tell: (at: Place, messages: readonly string[]) => string,
])[] = [
  [[serverTooOld], ({ host }) => `the server at ${host} is too old: PostgreSQL 14 or newer`],
  [
    [noPassword],
    ({ host, database }) => `the server at ${host} asks for a password, and the URL has none (database "${database}")`,
  ],
  [
    ['28P01', '28000', 'P1000', 'AuthenticationFailed'],
    ({ host, database }) => `the server at ${host} refuses this user or password (database "${database}")`,
  ],
  [
    ['P1010', 'DatabaseAccessDenied'],
    ({ host, database }) => `the server at ${host} does not let this user into the database "${database}"`,
  ],
  [
    ['42501'],
    ({ host, database }, messages) =>
      `the server at ${host} does not let this user do that in the database "${database}"${tellRight(messages)}`,
  ],
  [
    ['3D000', 'P1003', 'DatabaseDoesNotExist'],
    ({ host, database }) => `the server at ${host} has no database "${database}"; create it first`,
  ],
  [
    ['ENOTFOUND', 'EAI_AGAIN'],
    ({ hostname, database }) => `the host name ${hostname} cannot be resolved (database "${database}")`,
  ],
  [['ECONNREFUSED', 'ENOENT'], ({ host, database }) => `nothing listens at ${host} (database "${database}")`],
  [
    ['TlsConnectionError', 'P1011'],
    ({ host, database }) => `the TLS settings do not fit the server at ${host} (database "${database}")`,
  ],
  [
    ['53300', 'TooManyConnections', 'P2037'],
    ({ host, database }) => `the server at ${host} has no connection left (database "${database}")`,
  ],
];

interface Place {
  readonly hostname: string;
  /** With the port. */
  readonly host: string;
  readonly database: string;
}

/**
 * At a start the database's being out of reach is a matter of `DATABASE_URL`: says which host and database, and what is
 * wrong with them. Never with user or password.
 *
 * @returns ConfigError for `database_unavailable`; anything else as it is.
 */
export async function explainDatabaseError(error: unknown, databaseUrl: string): Promise<unknown> {
  if (!(error instanceof RelinkError) || error.code !== 'database_unavailable') return error;
  const place = readPlace(databaseUrl);
  const { codes, messages } = collectCauses(error.cause);
  if (messages.some(message => message.includes(noPassword))) codes.push(noPassword);
  if (codes.includes('DatabaseNotReachable')) codes.push(await distinguish(place.hostname));
  const reason = reasons.find(([known]) => codes.some(code => known.includes(code)));
  const told = reason?.[1](place, messages) ?? `${place.host} does not answer (database "${place.database}")`;
  return new ConfigError([`DATABASE_URL: ${told}`]);
}

/** What the user has no right to, where the server says it in English: Prisma puts more around it. */
function tellRight(messages: readonly string[]): string {
  const [said] = messages.flatMap(message => /(?:permission denied for|must be owner of) [^\n`]+/.exec(message) ?? []);
  return said === undefined ? '' : `: ${said}`;
}

/** The driver adapter has one word for both, and drops the socket's code. */
function distinguish(hostname: string): Promise<'ECONNREFUSED' | 'ENOTFOUND'> {
  return lookup(hostname).then(
    () => 'ECONNREFUSED',
    () => 'ENOTFOUND',
  );
}

function readPlace(databaseUrl: string): Place {
  const { hostname, port, pathname, searchParams } = new URL(databaseUrl);
  // A socket's folder stands in the query.
  const name = hostname === '' ? (searchParams.get('host') ?? 'the local socket') : hostname;
  return {
    hostname: name,
    host: hostname === '' ? name : `${hostname}:${port === '' ? 5432 : port}`,
    database: pathname.slice(1),
  };
}
