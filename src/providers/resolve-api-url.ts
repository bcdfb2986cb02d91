import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import { matchesHost } from './match-host.js';
import { parseEndpoint } from './parse-endpoint.js';
import { assertAllowedHosts, resolveEndpoint } from './resolve-endpoint.js';

/**
 * The address of a request to a provider's API: a path below its API, or a full address on one of its hosts. A token
 * goes nowhere else. An operator who points a provider elsewhere (a proxy, a stand-in) does not want requests at the
 * real one: then only the hosts that configuration names count.
 *
 * Throws RelinkError `host_not_allowed`.
 */
export function resolveApiUrl(provider: Provider, extras: Readonly<Record<string, string>>, wanted: string): string {
  const base = baseOf(provider, extras);
  const path = base.pathname.replace(/\/$/, '');
  const isPath = wanted.startsWith('/') && !wanted.startsWith('//');
  const url = parseEndpoint(isPath ? `${base.origin}${path}${wanted}` : wanted, provider.allowInsecure);
  if (url === null) throw new RelinkError('host_not_allowed', 'the url of a request');
  const isOwn = url.origin === base.origin && (!isPath || url.pathname.startsWith(`${path}/`));
  const { configured } = provider;
  const isElsewhere = configured.apiUrl || configured.identityUrl;
  const patterns = isElsewhere ? configured.hosts : [...Object.values(provider.hosts).flat(), ...configured.hosts];
  const isListed = !isPath && patterns.some(pattern => matchesHost(pattern, url.host));
  if (!isOwn && !isListed) throw new RelinkError('host_not_allowed', 'the url of a request');
  return url.href;
}

/** By a token's extras, which are the same object for as long as its connection is kept: parsing is a third of the work. */
const bases = new WeakMap<object, { readonly provider: Provider; readonly base: URL }>();

function baseOf(provider: Provider, extras: Readonly<Record<string, string>>): URL {
  const known = bases.get(extras);
  if (known?.provider === provider) return known.base;
  const base = findBase(provider, extras);
  bases.set(extras, { provider, base });
  return base;
}

function findBase(provider: Provider, extras: Readonly<Record<string, string>>): URL {
  const { apiUrl, configured } = provider;
  if (apiUrl === undefined || (configured.identityUrl && !configured.apiUrl)) {
    return new URL(new URL(resolveEndpoint(provider, 'identityUrl', extras)).origin);
  }
  assertAllowedHosts(provider, extras);
  if (configured.apiUrl || provider.apiUrlFor === undefined) return new URL(apiUrl);
  const derived = parseEndpoint(provider.apiUrlFor(extras, apiUrl), provider.allowInsecure);
  const patterns = [new URL(apiUrl).host, ...Object.values(provider.hosts).flat()];
  if (derived === null || !patterns.some(pattern => matchesHost(pattern, derived.host))) {
    throw new RelinkError('host_not_allowed', 'apiUrl');
  }
  return derived;
}
