/**
 * Identifiers as distinct types, so that an entity's id cannot be passed where a credential's is meant.
 * At run time they are plain strings: `<prefix>_<32 hexadecimal digits of a UUIDv7>` for the ones Relink makes.
 */
declare const brand: unique symbol;
export type Brand<Name extends string> = string & { readonly [brand]: Name };

/** An authorization session: one attempt to connect. The public API calls it `attempt`. */
export type SessionId = Brand<'SessionId'>;
export type CredentialId = Brand<'CredentialId'>;
export type EntityId = Brand<'EntityId'>;
export type IntegrationId = Brand<'IntegrationId'>;
/** The adopter's own name for one of its users. */
export type UserId = Brand<'UserId'>;
/** A key of the provider catalogue, such as `attio`. */
export type ProviderId = Brand<'ProviderId'>;
/** A provider's own identifier of an account or of a grant. */
export type ExternalId = Brand<'ExternalId'>;
/** One inbound webhook, for one integration. */
export type DeliveryId = Brand<'DeliveryId'>;
/** One token handed out. */
export type TokenReadId = Brand<'TokenReadId'>;
export type IntegrationType = Brand<'IntegrationType'>;

export const idPrefixes = {
  session: 'ses',
  credential: 'cred',
  entity: 'ent',
  integration: 'int',
  delivery: 'dlv',
  tokenRead: 'trd',
} as const;

export type IdKind = keyof typeof idPrefixes;

export interface IdOf {
  session: SessionId;
  credential: CredentialId;
  entity: EntityId;
  integration: IntegrationId;
  delivery: DeliveryId;
  tokenRead: TokenReadId;
}

/** Narrows a string to an id of the given kind when it has that kind's form. */
export function isId<Kind extends IdKind>(kind: Kind, value: string): value is IdOf[Kind] {
  return value.startsWith(`${idPrefixes[kind]}_`) && /^[0-9a-f]{32}$/.test(value.slice(idPrefixes[kind].length + 1));
}
