import { MongoCompatibilityError, MongoServerSelectionError } from 'mongodb';
import { ConfigError, RelinkError } from '../../errors.js';
import { tellSystemError } from '../tell-system-error.js';
import { findUnreadableFile, resolvingCodes } from './map-mongo-error.js';
import { readMongoUrl } from './read-mongo-url.js';

interface Place {
  readonly hosts: string;
  readonly database: string;
}

const reasons: readonly (readonly [applies: (found: Found) => boolean, tell: (at: Place) => string])[] = [
  [
    found => found.codes.has(18) || found.codes.has(8000) || /auth(entication|orization)? failed/i.test(found.text),
    ({ hosts, database }) => `the server at ${hosts} refuses this user or password (database "${database}")`,
  ],
  [
    found => found.codes.has(13),
    ({ hosts, database }) => `the server at ${hosts} does not let this user into the database "${database}"`,
  ],
  [
    found => found.tooOld,
    ({ hosts }) => `the server at ${hosts} is too old: MongoDB 4.4 or newer, Amazon DocumentDB 5.0 or newer`,
  ],
  [
    found => [...resolvingCodes].some(code => found.codes.has(code)),
    ({ hosts, database }) => `the host name ${hosts} cannot be resolved (database "${database}")`,
  ],
  [
    found => found.codes.has('ECONNREFUSED'),
    ({ hosts, database }) => `nothing listens at ${hosts} (database "${database}")`,
  ],
  [
    found => /certificate|SSL|TLS/i.test(found.text),
    ({ hosts, database }) =>
      `the TLS settings do not fit the server at ${hosts} (database "${database}"); tlsCAFile= names the file of its authority`,
  ],
];

interface Found {
  readonly codes: Set<unknown>;
  readonly tooOld: boolean;
  readonly text: string;
}

/**
 * At a start the database's being out of reach is a matter of `DATABASE_URL`: says which hosts and database, and what is
 * wrong with them. Never with user or password.
 *
 * @returns ConfigError for `database_unavailable`; anything else as it is.
 */
export function explainMongoError(error: unknown, databaseUrl: string): unknown {
  if (!(error instanceof RelinkError) || error.code !== 'database_unavailable') return error;
  const file = findUnreadableFile(error.cause);
  if (file !== undefined) {
    return new ConfigError([
      `DATABASE_URL: it names the file ${file}, which cannot be opened: ${tellSystemError(error.cause)}`,
    ]);
  }
  const place = readMongoUrl(databaseUrl);
  const found = collect(error.cause);
  const reason = reasons.find(([applies]) => applies(found));
  const told = reason?.[1](place) ?? tellSilence(place, databaseUrl);
  return new ConfigError([`DATABASE_URL: ${told}`]);
}

/** A server that is there answers nothing either where the set's name or TLS is another than its own. */
function tellSilence({ hosts, database }: Place, databaseUrl: string): string {
  const named = [...databaseUrl.matchAll(/[?&](replicaSet|tls|ssl|relinkProfile|loadBalanced)=/g)].map(
    ([, name]) => `${name ?? ''}=`,
  );
  const hint = named.length === 0 ? 'is it a MongoDB?' : `does ${named.join(', ')} in the URL fit it?`;
  return `${hosts} does not answer (database "${database}"); ${hint}`;
}

/** An error and what it wraps; of a failed selection also why each server could not be used. */
function collect(error: unknown, found: Found = { codes: new Set(), tooOld: false, text: '' }, depth = 0): Found {
  if (typeof error !== 'object' || error === null || depth > 6) return found;
  const message = 'message' in error ? String(error.message) : '';
  let next: Found = {
    codes: 'code' in error ? found.codes.add(error.code) : found.codes,
    tooOld: found.tooOld || error instanceof MongoCompatibilityError || /wire version/.test(message),
    text: `${found.text}\n${message}`,
  };
  if (error instanceof MongoServerSelectionError) {
    for (const { error: why } of error.reason?.servers.values() ?? []) next = collect(why, next, depth + 1);
  }
  const errors: unknown = 'errors' in error ? error.errors : undefined;
  if (Array.isArray(errors)) for (const inner of errors) next = collect(inner, next, depth + 1);
  return 'cause' in error ? collect(error.cause, next, depth + 1) : next;
}
