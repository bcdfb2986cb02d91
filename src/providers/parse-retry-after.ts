/** Nobody is waited for longer than this: one day. */
const longestWaitMs = 24 * 3_600_000;

/** The one form of date that senders may produce today (RFC 9110 section 5.6.7). */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
 *
 * @returns Milliseconds from `now`, at least 0 and at most a day; null when there is no readable value.
 */
export function parseRetryAfter(value: string | readonly string[] | undefined, now: Date): number | null {
  const text = (typeof value === 'string' ? value : value?.[0])?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate.test(text) ? Date.parse(text) - now.getTime() : NaN;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), longestWaitMs);
}
