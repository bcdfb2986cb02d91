import { isLoopbackAddress } from './is-public-address.js';

/** Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
function isLoopbackHost(url: URL): boolean {
  return url.hostname === 'localhost' || isLoopbackAddress(url.hostname);
}

/**
 * Reads an address that requests with secrets may go to. Null unless it is https without user info or fragment;
 * plain http passes only to this machine, and only where `allowInsecure` says so.
 */
export function parseEndpoint(value: string, allowInsecure: boolean): URL | null {
  if (!URL.canParse(value)) return null;
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return null;
  if (url.protocol === 'https:') return url;
  return url.protocol === 'http:' && allowInsecure && isLoopbackHost(url) ? url : null;
}
