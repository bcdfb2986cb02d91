import { ConfigError } from '../errors.js';
import type { Secret } from '../vault/secret.js';
import { unconfiguredHost, type HostPattern, type ProviderDefinition } from './definition.js';
import { isHostPattern } from './match-host.js';
import { parseEndpoint } from './parse-endpoint.js';

/** What an operator sets for one provider. */
export interface ProviderSettings {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly authorizationUrl?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly identityUrl?: string | undefined;
  readonly issuer?: string | undefined;
  /** Replace the definition's. Refused for a provider that takes no scopes. */
  readonly scopes?: readonly string[] | undefined;
  /** Added to the list of every field whose host is checked. */
  readonly hosts?: readonly HostPattern[] | undefined;
  /** Lets plain http and connections through to this machine, and only to it. Default: false. */
  readonly allowInsecure?: boolean | undefined;
}

/** A definition together with its operator's settings: what requests are made from. */
export interface Provider extends ProviderDefinition {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly allowInsecure: boolean;
  /** What came from configuration. An endpoint set there is left only for a host that configuration names as well. */
  readonly configured: {
    readonly tokenUrl: boolean;
    readonly identityUrl: boolean;
    readonly hosts: readonly HostPattern[];
  };
}

const endpoints = ['authorizationUrl', 'tokenUrl', 'identityUrl'] as const;

/** Puts settings over a definition. Throws ConfigError with every problem, never with a value. */
export function configureProvider(definition: ProviderDefinition, settings: ProviderSettings): Provider {
  const { id, scope } = definition;
  const allowInsecure = settings.allowInsecure ?? false;
  const hosts = settings.hosts ?? [];
  const issuer = settings.issuer ?? definition.issuer;
  const problems: string[] = [];

  if (settings.clientId === '') problems.push(`provider ${id}: the client id is empty`);
  if (settings.clientSecret.reveal() === '') problems.push(`provider ${id}: the client secret is empty`);
  for (const endpoint of endpoints) {
    const url = parseEndpoint(settings[endpoint] ?? definition[endpoint], allowInsecure);
    if (url === null)
      problems.push(`provider ${id}: ${endpoint} must be https (http to this machine where insecure is allowed)`);
    else if (url.hostname === unconfiguredHost) problems.push(`provider ${id}: ${endpoint} must be set`);
  }
  if (issuer?.includes(unconfiguredHost)) problems.push(`provider ${id}: issuer must be set`);
  if (settings.scopes !== undefined && scope === null)
    problems.push(`provider ${id}: scopes are chosen in its own app settings and cannot be set here`);
  if (!hosts.every(isHostPattern))
    problems.push(`provider ${id}: hosts must be like accounts.example.com, *.example.com or 127.0.0.1:3000`);
  if (problems.length > 0) throw new ConfigError(problems);

  return {
    ...definition,
    authorizationUrl: settings.authorizationUrl ?? definition.authorizationUrl,
    tokenUrl: settings.tokenUrl ?? definition.tokenUrl,
    identityUrl: settings.identityUrl ?? definition.identityUrl,
    issuer,
    scope: scope === null ? null : { ...scope, values: settings.scopes ?? scope.values },
    hosts: Object.fromEntries(
      Object.entries(definition.hosts).map(([field, patterns]) => [field, [...patterns, ...hosts]]),
    ),
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    allowInsecure,
    configured: {
      tokenUrl: settings.tokenUrl !== undefined,
      identityUrl: settings.identityUrl !== undefined,
      hosts,
    },
  };
}
