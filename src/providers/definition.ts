import type { ExternalId, ProviderId } from '../domain/ids.js';
import type { Secret } from '../vault/secret.js';

/** One account as the provider's identity call reports it. */
export interface Identity {
  /** The key of the entity: workspace, company, portal. */
  readonly entityExternalId: ExternalId;
  /** The key of the credential: often the same, at some providers the user's id instead (Pipedrive). */
  readonly credentialExternalId: ExternalId;
  readonly accountName: string | null;
}

/** Of client credentials: what new tokens are minted with (RFC 6749 section 4.4). */
export interface ClientKey {
  readonly kind: 'client_credentials';
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** What a user handed over, beyond what requests carry. */
export type HeldKey = { readonly kind: 'api_key' | 'basic' } | ClientKey;

export interface TokenSet {
  /** Absent for a grant of the consent page. */
  readonly key?: HeldKey;
  /** What requests carry: the access token, the API key, or `<user name>:<password>`. */
  readonly accessToken: Secret;
  /** Null when the provider gave none: then the credential cannot be refreshed. */
  readonly refreshToken: Secret | null;
  /** Null when the access token does not expire, or the provider never says (see `missingExpiry`). */
  readonly expiresAt: Date | null;
  /** Facts that only come with the callback or the token answer and are needed later, such as `api_domain`. */
  readonly extras: Readonly<Record<string, string>>;
}

/**
 * A host pattern: a literal host with optional port (`accounts.zoho.eu`), or one leading wildcard label
 * (`*.pipedrive.com`, which matches exactly one label).
 */
export type HostPattern = string;

/**
 * A provider as data plus a few hooks. Source of every fact: the provider's documentation, named at the fact.
 * Everything with an address can be overridden by configuration.
 */
export interface ProviderDefinition {
  readonly id: ProviderId;
  /** As people know it. */
  readonly name: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly identityUrl: string;
  /** Where grants are revoked; absent: nowhere. */
  readonly revocationUrl?: string;
  /** How: by RFC 7009 (`body`, the default), or with the token in the query and nothing else. */
  readonly revocationForm?: 'body' | 'query';
  /** The `iss` value of its callbacks (RFC 9207); null when it sends none. */
  readonly issuer: string | null;
  readonly clientAuthentication: 'client_secret_post' | 'client_secret_basic';
  /** Send PKCE S256 (RFC 7636): on unless the provider chokes on it. */
  readonly pkce: boolean;
  /** Null when the provider takes no `scope` parameter. */
  readonly scope: { readonly separator: ' ' | ','; readonly values: readonly string[] } | null;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** Values of the callback's `error` that say "the user declined", beyond `access_denied`. */
  readonly denialErrors?: readonly string[];
  /** Scheme of the Authorization header: `Bearer`, or what the provider calls it. */
  readonly authorizationScheme: string;
  /** The header that carries an access token on its own, where it is not `Authorization` (`X-Shopify-Access-Token`). */
  readonly authorizationHeader?: string;
  /** The kinds of credential it takes besides grants of its consent page, and what is particular about each. */
  readonly keys?: {
    /** Where an API key goes: behind a scheme in `Authorization`, or on its own in another header. */
    readonly api_key?: { readonly scheme: string } | { readonly header: string };
    /** User name and password, by HTTP Basic (RFC 7617). */
    readonly basic?: true;
    /** Its users' own clients mint tokens at the token endpoint. `scope`: what they ask for; null: no parameter. */
    readonly client_credentials?: { readonly scope: string | null };
  };
  /** Query parameters of the callback that matter beyond `code`, `state`, `iss` and `error`. */
  readonly callbackParameters: readonly string[];
  /** Fields of the token answer to keep as extras: strings. */
  readonly tokenExtras: readonly string[];
  /** Seconds an access token lives when the answer has no `expires_in`; null: it does not expire, or nobody says. */
  readonly missingExpiry: number | null;
  /** Fields of the token answer that give the lifetime in seconds, best first. Default: `expires_in`. */
  readonly expiryFields?: readonly string[];
  /**
   * Seconds that no access token of this provider lives beyond, amply: a larger number in those fields is milliseconds.
   * Left out: nobody knows, and every number is seconds. A token that ends sooner than stated is refreshed over its 401.
   */
  readonly longestExpiry?: number;
  /** How long a grant lives whatever its access tokens say. Left out: nobody knows of a limit. Milliseconds. */
  readonly grantLimits?: {
    /** It ends when it is not refreshed for this long. */
    readonly idleMs?: number;
    /** It ends this long after the consent. */
    readonly hardMs?: number;
  };
  /** How many of its tokens the sweep begins to refresh in a minute, at most. Default: 400. */
  readonly refreshesPerMinute?: number;
  /** Hosts that addresses arriving in a callback or token answer may name, per field. */
  readonly hosts: Readonly<Record<string, readonly HostPattern[]>>;
  /** What paths of `context.request` are below. Default: the origin of the identity call. */
  readonly apiUrl?: string;
  /** The same for these tokens; may use an extra, whose host is checked against `hosts`. */
  readonly apiUrlFor?: (extras: Readonly<Record<string, string>>, apiUrl: string) => string;
  /** The token endpoint for this callback; may use a callback parameter, whose host is checked against `hosts`. */
  readonly tokenUrlFor?: (callback: Readonly<Record<string, string>>, tokenUrl: string) => string;
  /** The revocation endpoint for these tokens; may use an extra, whose host is checked against `hosts`. */
  readonly revocationUrlFor?: (extras: Readonly<Record<string, string>>, revocationUrl: string) => string;
  /** The identity endpoint for these tokens; may use an extra, whose host is checked against `hosts`. */
  readonly identityUrlFor?: (extras: Readonly<Record<string, string>>, identityUrl: string) => string;
  /**
   * Whether an identity answer means that the token is dead. Default: the status is 401. A provider needs its own where
   * it says so inside a 200, or uses 401 for other things too. `body` is the parsed JSON, undefined when there is none.
   */
  readonly isRefusal?: (httpStatus: number, body: unknown) => boolean;
  /** Reads the identity answer (parsed JSON of a 200). Null when it does not say whose it is. */
  readonly readIdentity: (body: unknown) => Identity | null;
}

/** Stands in for a host that only configuration can name; a provider that still has it cannot be used. */
export const unconfiguredHost = 'unconfigured.invalid';
