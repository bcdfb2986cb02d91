import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { stdSerializers } from 'pino';
import { RelinkError } from '../../src/errors.js';
import type { Provider, ProviderSettings } from '../../src/providers/configure-provider.js';
import { loadProviders } from '../../src/providers/load-providers.js';
import { Secret } from '../../src/vault/secret.js';
import type { WireProvider } from './wire-provider.js';

/** A provider of the catalogue with its token and identity endpoints at a server of the test. */
export function wireUp(id: string, wire: WireProvider, settings: Partial<ProviderSettings> = {}): Provider {
  return loadProviders({
    [id]: {
      clientId: 'wire client',
      clientSecret: new Secret('wire/secret:1'),
      authorizationUrl: `${wire.origin}/authorize`,
      tokenUrl: `${wire.origin}/token`,
      identityUrl: `${wire.origin}/identity`,
      ...(id === 'sandbox' ? { issuer: wire.origin } : {}),
      allowInsecure: true,
      ...settings,
    },
  }).get(id);
}

/** A value that no log and no error may show; new for every test. */
export function canary(name: string): string {
  return `canary-${name}-${randomBytes(12).toString('hex')}`;
}

/** Everything a person, a log line or Temporal could see of an error. */
export function renderError(error: unknown): string {
  const seen = inspect(error, { depth: 12, showHidden: true });
  return error instanceof Error
    ? [seen, error.stack, JSON.stringify(error), JSON.stringify(stdSerializers.err(error))].join('\n')
    : seen;
}

/** The RelinkError that a promise ends with. Anything else, also success, fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<RelinkError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RelinkError) return error;
    throw error;
  }
  throw new Error('expected a RelinkError');
}
