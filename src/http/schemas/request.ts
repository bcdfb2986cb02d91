import { z } from 'zod';
import { idPrefixes, type IdKind, type IdOf } from '../../domain/ids.js';

/** An id of Relink's own making, branded once its form is checked. */
export function idSchema<Kind extends IdKind>(kind: Kind) {
  return z
    .string()
    .regex(new RegExp(`^${idPrefixes[kind]}_[0-9a-f]{32}$`), `must be an id of the form ${idPrefixes[kind]}_…`)
    .transform((value): IdOf[Kind] => value as IdOf[Kind]);
}

export const idParams = <Kind extends IdKind>(kind: Kind) =>
  z.strictObject({ id: idSchema(kind).describe(`Id of the ${kind}.`) });

export const deliveryParams = z.strictObject({
  id: idSchema('integration').describe('Id of the integration.'),
  deliveryId: idSchema('delivery').describe('Id of the delivery.'),
});

/** The attempt in a link: pages answer any text that is no attempt like an attempt that has expired. */
export const attemptLink = z.strictObject({ attempt: z.string().describe('Id of the attempt.') });

/** Documents the header; authenticate.ts is what checks it. */
const userHeaders = z.looseObject({
  'relink-user': z
    .string()
    .describe("The adopter's own id of the user acted for; 1 to 200 printable ASCII characters."),
});

/** What every route of a user has in its schema. */
export const userRoute = { headers: userHeaders, security: [{ apiKey: [] as string[] }] };

export const entityTypeField = z
  .string()
  .min(1)
  .max(64)
  .describe('The provider, by its name in the catalogue, such as `attio`.');

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('How many rows to answer at most.'),
  cursor: z
    .string()
    .regex(/^[a-z]+_[0-9a-f]{32}$/, 'must be a `next_cursor` of this list')
    .optional()
    .describe('`next_cursor` of the page before.'),
};

export const listQuery = z.strictObject(pageQuery);

/** An integration's settings. Which ones it needs is its definition's to say: a config that lacks some is NEEDS_CONFIG. */
export const configField = z.record(z.string().max(256), z.unknown());
