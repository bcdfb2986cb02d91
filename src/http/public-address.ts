import type { HttpConfig } from './dependencies.js';

/** An address as browsers and providers reach it. `RELINK_PUBLIC_URL` may have a path of its own. */
export function publicAddress(config: Pick<HttpConfig, 'publicUrl'>, path: `/${string}`): string {
  const { origin, pathname } = config.publicUrl;
  return `${origin}${pathname.replace(/\/+$/, '')}${path}`;
}
