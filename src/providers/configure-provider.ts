import { ConfigError } from '../errors.js';
import type { Secret } from '../vault/secret.js';
import { unconfiguredHost, type HostPattern, type ProviderDefinition } from './definition.js';
import { isHostPattern } from './match-host.js';
import { parseEndpoint } from './parse-endpoint.js';
import { variableName } from './variable-name.js';

/** What an operator sets for one provider. */
export interface ProviderSettings {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly authorizationUrl?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly identityUrl?: string | undefined;
  readonly revocationUrl?: string | undefined;
  readonly apiUrl?: string | undefined;
  readonly issuer?: string | undefined;
  /** Replace the definition's. Refused for a provider that takes no scopes. */
  readonly scopes?: readonly string[] | undefined;
  /** Added to the list of every field whose host is checked. */
  readonly hosts?: readonly HostPattern[] | undefined;
  /** Lets plain http and connections through to this machine, and only to it. Default: false. */
  readonly allowInsecure?: boolean | undefined;
  /** What its app-wide webhooks are signed with, newest first. */
  readonly webhookSecrets?: readonly Secret[] | undefined;
}

/** A definition together with its operator's settings: what requests are made from. */
export interface Provider extends ProviderDefinition {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly allowInsecure: boolean;
  readonly webhookSecrets: readonly Secret[];
  /** What came from configuration. An endpoint set there is left only for a host that configuration names as well. */
  readonly configured: {
    readonly tokenUrl: boolean;
    readonly identityUrl: boolean;
    readonly revocationUrl: boolean;
    readonly apiUrl: boolean;
    readonly hosts: readonly HostPattern[];
  };
}

const endpoints = {
  authorizationUrl: 'AUTHORIZATION_URL',
  tokenUrl: 'TOKEN_URL',
  identityUrl: 'IDENTITY_URL',
  revocationUrl: 'REVOCATION_URL',
  apiUrl: 'API_URL',
} as const;

/** Puts settings over a definition. Throws ConfigError with every problem, never with a value. */
export function configureProvider(definition: ProviderDefinition, settings: ProviderSettings): Provider {
  const { id, scope } = definition;
  const allowInsecure = settings.allowInsecure ?? false;
  const hosts = settings.hosts ?? [];
  const issuer = settings.issuer ?? definition.issuer;
  const problems: string[] = [];

  if (settings.clientId === '') problems.push(`${variableName(id, 'CLIENT_ID')} is empty`);
  if (settings.clientSecret.reveal() === '') problems.push(`${variableName(id, 'CLIENT_SECRET')} is empty`);
  for (const endpoint of ['authorizationUrl', 'tokenUrl', 'identityUrl', 'revocationUrl', 'apiUrl'] as const) {
    const value = settings[endpoint] ?? definition[endpoint];
    if (value === undefined) continue;
    const url = parseEndpoint(value, allowInsecure);
    const name = variableName(id, endpoints[endpoint]);
    if (url === null)
      problems.push(`${name} must be https (http to this machine with ${variableName(id, 'ALLOW_INSECURE')}=true)`);
    else if (url.hostname === unconfiguredHost) problems.push(`${name} must be set`);
  }
  if (issuer?.includes(unconfiguredHost)) problems.push(`${variableName(id, 'ISSUER')} must be set`);
  if (settings.scopes !== undefined && scope === null)
    problems.push(
      `${variableName(id, 'SCOPES')} cannot be set: this provider's scopes are chosen in its own app settings`,
    );
  if (!hosts.every(isHostPattern))
    problems.push(`${variableName(id, 'HOSTS')} must be like accounts.example.com, *.example.com or 127.0.0.1:3000`);
  if (problems.length > 0) throw new ConfigError(problems);

  return {
    ...definition,
    authorizationUrl: settings.authorizationUrl ?? definition.authorizationUrl,
    tokenUrl: settings.tokenUrl ?? definition.tokenUrl,
    identityUrl: settings.identityUrl ?? definition.identityUrl,
    ...(settings.revocationUrl !== undefined && { revocationUrl: settings.revocationUrl }),
    ...(settings.apiUrl !== undefined && { apiUrl: settings.apiUrl }),
    issuer,
    scope: scope === null ? null : { ...scope, values: settings.scopes ?? scope.values },
    hosts: Object.fromEntries(
      Object.entries(definition.hosts).map(([field, patterns]) => [field, [...patterns, ...hosts]]),
    ),
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    allowInsecure,
    webhookSecrets: settings.webhookSecrets ?? [],
    configured: {
      tokenUrl: settings.tokenUrl !== undefined,
      identityUrl: settings.identityUrl !== undefined,
      revocationUrl: settings.revocationUrl !== undefined,
      apiUrl: settings.apiUrl !== undefined,
      hosts,
    },
  };
}
