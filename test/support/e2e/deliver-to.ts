import type { Consent } from './scenes.js';

/** Delivers the browser's callback to another server than the public address, as a load balancer would. */
export async function deliverTo(serverUrl: string, { finalUrl, cookies }: Consent) {
  const url = new URL(finalUrl);
  const cookie = cookies.headerFor(url) ?? '';
  const to = `${serverUrl}${url.pathname}${url.search}`;
  const response = await fetch(to, { headers: { cookie, accept: 'application/json' }, redirect: 'manual' });
  return { status: response.status, location: response.headers.get('location'), body: await response.text() };
}
