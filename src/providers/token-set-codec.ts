import { z } from 'zod';
import { RelinkError } from '../errors.js';
import { Secret } from '../vault/secret.js';
import type { ClientKey, HeldKey, TokenSet } from './definition.js';
import { parseJson } from '../parse-json.js';

const tokenFields = {
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1).nullable(),
  expiresAt: z.iso.datetime().nullable(),
  extras: z.record(z.string(), z.string()),
};
const clientFields = { clientId: z.string().min(1), clientSecret: z.string().min(1) };

/**
 * The stored forms. A new version gets a new number, and the old ones stay readable. 1: of a consent page. 2: of a key
 * that its user handed over. 3: a client that has not minted a token yet.
 */
const tokenSetSchema = z.discriminatedUnion('v', [
  z.object({ v: z.literal(1), ...tokenFields }),
  z.object({
    v: z.literal(2),
    ...tokenFields,
    key: z.discriminatedUnion('kind', [
      z.object({ kind: z.enum(['api_key', 'basic']) }),
      z.object({ kind: z.literal('client_credentials'), ...clientFields }),
    ]),
  }),
]);
const clientSchema = z.object({ v: z.literal(3), ...clientFields });

/** A token set as one text, for sealing. */
export function serialiseTokenSet(tokens: TokenSet): Secret {
  const fields = {
    accessToken: tokens.accessToken.reveal(),
    refreshToken: tokens.refreshToken?.reveal() ?? null,
    expiresAt: tokens.expiresAt?.toISOString() ?? null,
    extras: { ...tokens.extras },
  };
  const stored: z.input<typeof tokenSetSchema> =
    tokens.key === undefined ? { v: 1, ...fields } : { v: 2, ...fields, key: storeKey(tokens.key) };
  return new Secret(JSON.stringify(stored));
}

/** A client that no token was minted for yet, as one text, for sealing. */
export function serialiseClient({ clientId, clientSecret }: ClientKey): Secret {
  const stored: z.input<typeof clientSchema> = { v: 3, clientId, clientSecret: clientSecret.reveal() };
  return new Secret(JSON.stringify(stored));
}

/** Reads what `serialiseTokenSet` wrote. Throws RelinkError `secret_unreadable`, without the content. */
export function parseTokenSet(secret: Secret): TokenSet {
  const stored = tokenSetSchema.safeParse(parseJson(secret.reveal()));
  if (!stored.success) throw new RelinkError('secret_unreadable', 'the token set has an unknown form');
  const { accessToken, refreshToken, expiresAt, extras } = stored.data;
  return {
    ...(stored.data.v === 2 && { key: readKey(stored.data.key) }),
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? null : new Secret(refreshToken),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    extras,
  };
}

/** Reads what either function wrote. Throws like `parseTokenSet`. */
export function parseGrant(secret: Secret): TokenSet | ClientKey {
  const client = clientSchema.safeParse(parseJson(secret.reveal()));
  if (!client.success) return parseTokenSet(secret);
  const { clientId, clientSecret } = client.data;
  return { kind: 'client_credentials', clientId, clientSecret: new Secret(clientSecret) };
}

function storeKey(key: HeldKey) {
  return key.kind === 'client_credentials' ? { ...key, clientSecret: key.clientSecret.reveal() } : key;
}

function readKey(key: ReturnType<typeof storeKey>): HeldKey {
  return key.kind === 'client_credentials' ? { ...key, clientSecret: new Secret(key.clientSecret) } : key;
}
