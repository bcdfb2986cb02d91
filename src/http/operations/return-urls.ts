import { ConfigError, RelinkError } from '../../errors.js';

/** One entry of the allow-list, parsed. */
export interface UrlRule {
  readonly origin: string;
  /** `/` allows every path of the origin; anything else that path and what is below it. */
  readonly path: string;
}

/** Bounds what is stored and put into a Location header. */
const maxLength = 2048;

/**
 * Reads the allow-list of return URLs once, at start.
 *
 * @throws ConfigError naming the place of each entry that could never be safe or never match.
 */
export function parseReturnUrlRules(entries: readonly string[]): UrlRule[] {
  const rules: UrlRule[] = [];
  const problems: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const url = parse(entry);
    if (url !== null && url.search === '' && url.hash === '') {
      rules.push({ origin: url.origin, path: url.pathname });
      continue;
    }
    problems.push(
      `RELINK_RETURN_URLS, entry ${index + 1} of ${entries.length}, must be an origin or a URL prefix such as https://example.com/settings: https (http on loopback), without user, query or fragment`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return rules;
}

/**
 * Checks a return URL against the allow-list (RFC 9700 section 4.11: no open redirectors). Both sides are compared as
 * parsed URLs, never as texts: `https://app.example.com.evil.test` starts with an allowed origin's text.
 *
 * @returns The URL in its normal form.
 * @throws RelinkError `return_url_not_allowed`.
 */
export function checkReturnUrl(rules: readonly UrlRule[], value: string): string {
  const url = value.length > maxLength ? null : parse(value);
  if (url === null || !rules.some(rule => matches(rule, url))) throw new RelinkError('return_url_not_allowed');
  return url.href;
}

function matches(rule: UrlRule, url: URL): boolean {
  if (url.origin !== rule.origin) return false;
  if (rule.path === '/') return true;
  // The parser resolves `..` but not an encoded slash, which the server behind may decode and climb out by.
  if (/%2f|%5c/i.test(url.pathname)) return false;
  return url.pathname === rule.path || url.pathname.startsWith(rule.path.endsWith('/') ? rule.path : `${rule.path}/`);
}

function parse(value: string): URL | null {
  // The parser drops tabs and line breaks and trims; a URL that needs that is not one an adopter wrote.
  if (!URL.canParse(value) || /[\s\\]/.test(value)) return null;
  const url = new URL(value);
  if (url.username !== '' || url.password !== '') return null;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)) ? url : null;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
