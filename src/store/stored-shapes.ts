import { z } from 'zod';
import { causeCodes } from '../domain/cause.js';
import { credentialKinds } from '../domain/credential-kind.js';
import type { CredentialId, ProviderId } from '../domain/ids.js';

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

/** Through JSON, so that what is stored is what the object serialises to (no `undefined`, no class instances). */
export function toConfig(config: Readonly<Record<string, unknown>>) {
  return jsonObject.parse(JSON.parse(JSON.stringify(config)));
}
