/** Where a proxy passes on what comes for this database. */
export function targetOf(databaseUrl: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(databaseUrl);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 27_017 : Number(port) };
}

/**
 * The URL of a MongoDB through a proxy on this port of 127.0.0.1, with settings besides its own. Never as a replica set:
 * the driver would leave the proxy for the members that the server names.
 */
export function throughProxy(
  databaseUrl: string,
  proxy: { readonly port: number },
  settings: Readonly<Record<string, string>> = {},
): string {
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${proxy.port}`;
  url.searchParams.delete('replicaSet');
  for (const [name, value] of Object.entries({ directConnection: 'true', ...settings })) {
    url.searchParams.set(name, value);
  }
  return url.href;
}
