import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import { matchesHost } from './match-host.js';
import { parseEndpoint } from './parse-endpoint.js';

/**
 * Checks every address among values that came with a callback or a token answer against the provider's list for that
 * field. A value with user info, another scheme or no scheme at all is refused as well.
 *
 * Throws RelinkError `host_not_allowed`, its detail the field's name: the value itself is a stranger's text.
 */
export function assertAllowedHosts(provider: Provider, values: Readonly<Record<string, string>>): void {
  const field = findRefusedHost(provider, values);
  if (field !== null) throw new RelinkError('host_not_allowed', field);
}

/** The same as an answer. */
export function hasAllowedHosts(provider: Provider, values: Readonly<Record<string, string>>): boolean {
  return findRefusedHost(provider, values) === null;
}

function findRefusedHost(provider: Provider, values: Readonly<Record<string, string>>): string | null {
  for (const [field, patterns] of Object.entries(provider.hosts)) {
    const value = values[field];
    if (value === undefined) continue;
    const url = parseEndpoint(value, provider.allowInsecure);
    if (url === null || !patterns.some(pattern => matchesHost(pattern, url.host))) return field;
  }
  return null;
}

/**
 * The address to use for these values: the provider's own, or the one its hook derives from them. Whatever a hook
 * does, the result is on one of the provider's lists.
 *
 * Throws RelinkError `host_not_allowed`.
 */
export function resolveEndpoint(
  provider: Provider,
  endpoint: 'tokenUrl' | 'identityUrl' | 'revocationUrl',
  values: Readonly<Record<string, string>>,
): string {
  assertAllowedHosts(provider, values);
  const own = provider[endpoint];
  if (own === undefined) throw new RelinkError('internal', `${provider.id} has no ${endpoint}`);
  const derive = provider[`${endpoint}For`];
  const derived = derive?.(values, own) ?? own;
  if (derived === own) return own;
  const url = parseEndpoint(derived, provider.allowInsecure);
  const patterns = Object.values(provider.hosts).flat();
  if (url === null || !patterns.some(pattern => matchesHost(pattern, url.host)))
    throw new RelinkError('host_not_allowed', endpoint);
  // An operator who points an endpoint elsewhere (a proxy, a stand-in) does not want requests at the real provider.
  const { configured } = provider;
  return configured[endpoint] && !configured.hosts.some(pattern => matchesHost(pattern, url.host)) ? own : derived;
}
