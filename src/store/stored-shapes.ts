import { z } from 'zod';
import { causeCodes } from '../domain/cause.js';
import { credentialKinds } from '../domain/credential-kind.js';
import type { CredentialId, ProviderId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';
import { cleanDetail } from './clean-detail.js';

/** Parts of an integration's row that every store keeps as structured values, checked on the way out. */
export const storedCauses = z.array(
  z.object({
    credentialId: z.string().transform(id => id as CredentialId),
    epoch: z.number().int(),
    provider: z.string().transform(id => id as ProviderId),
    // Rows written before causes had it.
    kind: z.enum(credentialKinds).default('oauth2'),
    code: z.enum(causeCodes),
    httpStatus: z.number().int().nullable(),
    text: z.string(),
    since: z.string(),
  }),
);
export const storedEpochs = z.record(z.string(), z.number().int());
/** What a `config` holds, on the way in. */
const jsonObject = z.record(z.string(), z.json());
/** The same on the way out: what was read as JSON is JSON at any depth, and only has to be an object. */
export const storedConfig = z.record(z.string(), z.unknown());

/** Between the ids of an integration's entity key; occurs in no id. */
export const entityKeySeparator = ',';

const notInJson = /\0|\p{Surrogate}/u;

/**
 * Through JSON, so that what is stored is what the object serialises to (no `undefined`, no class instances).
 *
 * @throws RelinkError `invalid_request` where a text or a key holds a NUL or half a surrogate, which PostgreSQL's JSON
 *   cannot: the same on every store.
 */
export function toConfig(config: Readonly<Record<string, unknown>>) {
  const plain: unknown = JSON.parse(JSON.stringify(config), (key, value: unknown) => {
    if (notInJson.test(key) || (typeof value === 'string' && notInJson.test(value))) throw unstorable();
    return value;
  });
  return jsonObject.parse(plain);
}

/** A name for people, as every store can hold it. */
export const toName = (name: string | null): string | null => (name === null ? null : cleanDetail(name));

/** An id or cursor from outside. A document could hold a NUL; PostgreSQL could not, and nothing legitimate has one. */
export function refuseNul(...texts: readonly string[]): void {
  if (texts.some(text => text.includes('\0'))) throw unstorable();
}

const unstorable = () => new RelinkError('invalid_request', 'the text holds characters that cannot be stored');
