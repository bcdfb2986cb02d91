import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { isLoopbackAddress, isPublicAddress } from './is-public-address.js';

/** The `code` of the error when a connection is refused because of where it would lead. */
export const addressRefusedCode = 'RELINK_ADDRESS_REFUSED';

export interface DispatcherOptions {
  /** For a provider that runs on this machine. Private networks stay out of reach all the same. */
  readonly allowLoopback: boolean;
  /** Off for requests that must not be lost on a connection the server is just closing. */
  readonly keepAlive: boolean;
}

function refuse(): Error {
  return Object.assign(new Error('The host resolves to an address that is not public'), { code: addressRefusedCode });
}

/**
 * A connector that checks the address itself, after resolution and in the same step as connecting: a name that answers
 * with a public address once and a private one the next time (DNS rebinding) gains nothing.
 */
function createConnector(allowLoopback: boolean): buildConnector.connector {
  const accepts = (address: string) => isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));

  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) callback(error, '');
      else if (first === undefined || !addresses.every(({ address }) => accepts(address))) callback(refuse(), '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  const connect = buildConnector({ lookup, timeout: 10_000 });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    // Literal addresses are never looked up.
    if (isIP(host) !== 0 && !accepts(host)) process.nextTick(callback, refuse(), null);
    else connect(options, callback);
  };
}

const agents = new Map<string, Agent>();

/** The shared connections to providers. Everything sent to a provider goes through here. */
export function getDispatcher({ allowLoopback, keepAlive }: DispatcherOptions): Dispatcher {
  const key = `${allowLoopback} ${keepAlive}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const agent = new Agent({ connect: createConnector(allowLoopback), pipelining: keepAlive ? 1 : 0 });
  agents.set(key, agent);
  return agent;
}

/** Closes idle connections and waits for running requests. New requests after this open new connections. */
export async function closeProviderConnections(): Promise<void> {
  const closing = [...agents.values()];
  agents.clear();
  await Promise.all(closing.map(agent => agent.close()));
}
