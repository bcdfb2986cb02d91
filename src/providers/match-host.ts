import type { HostPattern } from './definition.js';

/** A literal host or `*.` before at least two labels, with an optional port; an IPv6 address stands in brackets. */
const patternForm = /^(\*\.([a-z0-9-]+\.)+[a-z][a-z0-9-]*|[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/;

export function isHostPattern(value: string): boolean {
  return patternForm.test(value.toLowerCase());
}

/**
 * Whether a host is meant by a pattern.
 *
 * @param host As `URL.host` gives it: lower case, punycode, with the port unless it is the scheme's own.
 */
export function matchesHost(pattern: HostPattern, host: string): boolean {
  const wanted = pattern.toLowerCase();
  if (!wanted.startsWith('*.')) return wanted === host;
  const suffix = wanted.slice(1);
  if (!host.endsWith(suffix)) return false;
  const label = host.slice(0, -suffix.length);
  return label !== '' && !label.includes('.');
}
