import type { ProviderDefinition } from './definition.js';

/** Longer lives are cut to this, so that the date stays one that every store can keep: ten years. */
const longestLifeSeconds = 10 * 365 * 24 * 3600;

/**
 * Seconds as providers write them: a number, or a string of digits. Zero and below say nothing about a lifetime. More than
 * the provider ever gives are milliseconds.
 */
function readSeconds(value: unknown, longest = Infinity): number | null {
  const stated = typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof stated !== 'number' || !(stated > 0)) return null;
  return Math.min(stated > longest ? stated / 1000 : stated, longestLifeSeconds);
}

/**
 * When an access token ends. A lifetime that is missing or unreadable is the provider's own rule, never "for ever" by
 * default: the grant is there and must not be lost over one field.
 *
 * @param issuedAt Taken before the request was sent, so that the date errs on the early side.
 * @returns Null when the token does not expire, or nobody says.
 */
export function computeExpiry(
  provider: Pick<ProviderDefinition, 'missingExpiry' | 'expiryFields' | 'longestExpiry'>,
  tokenAnswer: Readonly<Record<string, unknown>>,
  issuedAt: Date,
): Date | null {
  const fields = provider.expiryFields ?? ['expires_in'];
  const stated = fields
    .map(field => readSeconds(tokenAnswer[field], provider.longestExpiry))
    .find(seconds => seconds !== null);
  const seconds = stated ?? provider.missingExpiry;
  return seconds === null ? null : new Date(issuedAt.getTime() + Math.floor(seconds * 1000));
}
