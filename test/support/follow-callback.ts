import { request } from 'undici';
import type { CookieJar } from '../../src/embedded/sandbox/cookie-jar.js';

/** Delivers a callback as the browser would: one GET with the jar's cookies; a redirect is returned, not followed. */
export async function followCallback(
  finalUrl: string,
  cookies: CookieJar,
): Promise<{ status: number; location: string | undefined; body: string }> {
  const cookie = cookies.headerFor(new URL(finalUrl));
  const { statusCode, headers, body } = await request(finalUrl, {
    headers: { accept: 'text/html,application/json;q=0.9', ...(cookie === undefined ? {} : { cookie }) },
  });
  const { location } = headers;
  return { status: statusCode, location: typeof location === 'string' ? location : undefined, body: await body.text() };
}
