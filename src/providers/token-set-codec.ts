import { z } from 'zod';
import { RelinkError } from '../errors.js';
import { Secret } from '../vault/secret.js';
import type { TokenSet } from './definition.js';

/** The stored form. A new version gets a new number, and the old one stays readable. */
const storedSchema = z.object({
  v: z.literal(1),
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1).nullable(),
  expiresAt: z.iso.datetime().nullable(),
  extras: z.record(z.string(), z.string()),
});

/** A token set as one text, for sealing. */
export function serialiseTokenSet(tokens: TokenSet): Secret {
  const stored: z.input<typeof storedSchema> = {
    v: 1,
    accessToken: tokens.accessToken.reveal(),
    refreshToken: tokens.refreshToken?.reveal() ?? null,
    expiresAt: tokens.expiresAt?.toISOString() ?? null,
    extras: { ...tokens.extras },
  };
  return new Secret(JSON.stringify(stored));
}

/** Reads what `serialiseTokenSet` wrote. Throws RelinkError `secret_unreadable`, without the content. */
export function parseTokenSet(secret: Secret): TokenSet {
  const stored = storedSchema.safeParse(parseText(secret.reveal()));
  if (!stored.success) throw new RelinkError('secret_unreadable', 'the token set has an unknown form');
  const { accessToken, refreshToken, expiresAt, extras } = stored.data;
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? null : new Secret(refreshToken),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    extras,
  };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
