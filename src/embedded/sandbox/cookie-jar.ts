interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/**
 * A small cookie jar for driving our own pages over loopback: cookies by origin and path, deletion by Max-Age or
 * Expires. It sends Secure cookies over plain http too, as browsers do for loopback addresses.
 */
export class CookieJar {
  readonly #byOrigin = new Map<string, Map<string, Cookie>>();

  /** Takes in the Set-Cookie lines of an answer from this URL. */
  store(url: URL, setCookies: readonly string[]): void {
    let cookies = this.#byOrigin.get(url.origin);
    if (!cookies) this.#byOrigin.set(url.origin, (cookies = new Map<string, Cookie>()));
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(';').map(part => part.trim());
      const split = pair.indexOf('=');
      if (split < 1) continue;
      const name = pair.slice(0, split);
      const path = readAttribute(attributes, 'path') ?? '/';
      if (isOver(attributes)) cookies.delete(`${name};${path}`);
      else cookies.set(`${name};${path}`, { name, value: pair.slice(split + 1), path });
    }
  }

  /** The Cookie header for a request to this URL, if there is any (RFC 6265 section 5.4). */
  headerFor(url: URL): string | undefined {
    const matching = [...(this.#byOrigin.get(url.origin)?.values() ?? [])].filter(
      ({ path }) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
    );
    matching.sort((a, b) => b.path.length - a.path.length);
    return matching.length === 0 ? undefined : matching.map(({ name, value }) => `${name}=${value}`).join('; ');
  }
}

function readAttribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find(attribute => attribute.toLowerCase().startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

function isOver(attributes: readonly string[]): boolean {
  const maxAge = readAttribute(attributes, 'max-age');
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = readAttribute(attributes, 'expires');
  return expires !== undefined && Date.parse(expires) <= Date.now();
}
