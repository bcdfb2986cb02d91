import type { FastifyRequest } from 'fastify';
import type { ApiKey, ApiKeyScope } from '../config.js';
import type { UserId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';
import { equalsConstantTime } from '../vault/hash.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that it came with; null before it was checked, and where none is asked for. */
    apiKey: ApiKey | null;
  }
}

/**
 * Checks `Authorization: Bearer <API key>` (RFC 6750 section 2.1) against every key, so that the time taken tells
 * neither which one was close nor how many there are. More than one key is for rotation.
 *
 * @throws RelinkError `unauthenticated`.
 */
export function checkApiKey(apiKeys: readonly ApiKey[], request: FastifyRequest): void {
  const presented = /^Bearer +([^\s]{1,1024})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (presented === undefined) throw new RelinkError('unauthenticated');
  let known: ApiKey | null = null;
  for (const key of apiKeys) if (equalsConstantTime(presented, key.secret.reveal())) known = key;
  if (known === null) throw new RelinkError('unauthenticated');
  request.apiKey = known;
}

/**
 * The key that the request came with, if it may do this.
 *
 * @throws RelinkError `scope_missing`.
 */
export function requireScope(request: FastifyRequest, scope: ApiKeyScope): ApiKey {
  const { apiKey } = request;
  if (apiKey?.scopes.includes(scope) !== true) throw new RelinkError('scope_missing', scope);
  return apiKey;
}

/**
 * The user the caller acts for, from the `Relink-User` header: the adopter's own id, 1 to 200 printable ASCII
 * characters. Other characters have no agreed meaning in a header (RFC 9110 section 5.5): percent-encode them.
 *
 * @throws RelinkError `user_missing`, `invalid_request`.
 */
export function readUser(request: FastifyRequest): UserId {
  const value = request.headers['relink-user'];
  if (value === undefined || value === '') throw new RelinkError('user_missing');
  // Node joins repeated headers with a comma, and `a, b` would be a user of its own.
  const names = request.raw.rawHeaders.filter((_, index) => index % 2 === 0);
  const repeated = names.filter(name => name.toLowerCase() === 'relink-user').length > 1;
  if (typeof value !== 'string' || repeated) throw invalidUser('must be sent once');
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(value)) {
    throw invalidUser('must be 1 to 200 printable ASCII characters');
  }
  return value as UserId;
}

function invalidUser(message: string): RelinkError {
  return new RelinkError('invalid_request', undefined, { issues: [{ path: 'headers.relink-user', message }] });
}
