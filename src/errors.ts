/**
 * The error registry: every error that can leave Relink, over HTTP or as the type of a Temporal failure.
 * docs/errors.md lists the same codes; a test compares the two. Longer than other files, because it is one list.
 *
 * `text` is for the person or program that called. It says what happened and what to do, and never holds a secret,
 * a header, a URL with a query, or a stack. `retryable`: the same request may succeed later without any change.
 */
export const errorRegistry = {
  // The request
  invalid_request: {
    status: 400,
    retryable: false,
    text: 'The request is malformed. See `issues` for the fields to correct.',
  },
  payload_too_large: { status: 413, retryable: false, text: 'The request body is larger than this endpoint accepts.' },
  unsupported_media_type: { status: 415, retryable: false, text: 'Send the request body as application/json.' },
  unauthenticated: {
    status: 401,
    retryable: false,
    text: 'The API key is missing or unknown. Send `Authorization: Bearer <API key>`.',
  },
  scope_missing: {
    status: 403,
    retryable: false,
    text: 'This API key may not do this. The operator has to give it the scope, behind the key in RELINK_API_KEYS.',
  },
  user_missing: { status: 400, retryable: false, text: 'Name the user you act for in the `Relink-User` header.' },
  not_found: { status: 404, retryable: false, text: 'Nothing with this id exists for this user.' },
  route_not_found: {
    status: 404,
    retryable: false,
    text: 'No such address. GET /api/openapi.json lists them all.',
  },
  provider_unknown: { status: 404, retryable: false, text: 'No provider of this name is in the catalogue.' },
  provider_not_configured: {
    status: 409,
    retryable: false,
    text: 'This provider has no client id and secret configured. The operator has to set them.',
  },
  return_url_not_allowed: {
    status: 400,
    retryable: false,
    text: 'The return URL is not on the allow-list (RELINK_RETURN_URLS).',
  },
  redirect_uri_not_allowed: {
    status: 400,
    retryable: false,
    text: 'The redirect URI is not on the allow-list (RELINK_REDIRECT_URIS).',
  },
  integration_type_unknown: { status: 400, retryable: false, text: 'No integration of this type is defined.' },
  entity_not_usable: {
    status: 400,
    retryable: false,
    text: 'An entity does not exist for this user, or its provider does not fit this integration type.',
  },
  integration_in_deletion: {
    status: 409,
    retryable: false,
    text: 'This integration is being deleted and cannot be changed.',
  },

  // Webhooks
  webhooks_not_expected: {
    status: 404,
    retryable: false,
    text: 'No webhooks are taken at this address: the provider or the integration does not exist, or its type takes none.',
  },
  webhook_signature_missing: { status: 401, retryable: false, text: 'The webhook carries no signature.' },
  webhook_signature_wrong: {
    status: 401,
    retryable: false,
    text: 'The signature of the webhook fits none of its secrets: those that its integration registered, else `RELINK_PROVIDER_<NAME>_WEBHOOK_SECRETS`.',
  },
  webhook_signature_stale: {
    status: 401,
    retryable: false,
    text: 'The signed time of the webhook is outside the accepted window.',
  },
  webhook_secret_missing: {
    status: 403,
    retryable: false,
    text: 'No secret is configured to verify webhooks of this provider with. The operator has to set `RELINK_PROVIDER_<NAME>_WEBHOOK_SECRETS`.',
  },
  delivery_not_replayable: {
    status: 409,
    retryable: false,
    text: 'Only a failed, discarded or expired delivery can be replayed.',
  },

  // Connecting
  attempt_not_found: {
    status: 404,
    retryable: false,
    text: 'This connection attempt does not exist, has expired, or belongs to somebody else. Start a new one.',
  },
  access_denied: {
    status: 403,
    retryable: false,
    text: 'Access was not granted at the provider. Connect again to retry.',
  },
  authorization_failed: {
    status: 502,
    retryable: false,
    text: 'The provider ended the authorization with an error. Connect again to retry.',
  },
  exchange_refused: {
    status: 502,
    retryable: false,
    text: 'The provider refused the authorization code. Connect again to retry.',
  },
  exchange_timed_out: {
    status: 504,
    retryable: false,
    text: 'The provider did not answer the code exchange in time. Connect again to retry.',
  },
  exchange_failed: {
    status: 502,
    retryable: false,
    text: 'The code exchange did not yield a usable answer from the provider. Connect again to retry.',
  },
  exchange_outcome_unknown: {
    status: 409,
    retryable: false,
    text: 'The connection was interrupted while the provider answered, so its outcome is unknown. Connect again.',
  },
  client_rejected: {
    status: 502,
    retryable: false,
    text: "The provider rejected this product's client id or secret. The operator has to correct them.",
  },
  host_not_allowed: {
    status: 502,
    retryable: false,
    text: "The provider's answer names a host that is not on its list. Nothing was sent to it. Connect again, or have the operator check the provider's hosts.",
  },
  identity_refused: {
    status: 502,
    retryable: false,
    text: 'The provider issued a token and then refused it when asked whose it is. Connect again to retry.',
  },
  identity_unusable: {
    status: 502,
    retryable: false,
    text: 'The provider accepted the token but did not say which account it belongs to.',
  },
  kind_not_taken: {
    status: 400,
    retryable: false,
    text: 'This provider does not take credentials of this kind. Connect the account by the consent page (GET /api/authorize), or send a kind that docs/providers.md lists for it.',
  },
  secret_refused: {
    status: 422,
    retryable: false,
    text: 'The provider does not accept this key, password or client. Nothing was changed. Check it and send it again.',
  },
  wrong_account: {
    status: 409,
    retryable: false,
    text: 'This is another account at the provider than the one to reconnect. The existing connection is unchanged. Connect again with the same account.',
  },
  credential_removed: {
    status: 409,
    retryable: false,
    text: 'The connection was removed while it was being made. Connect again.',
  },
  connect_timed_out: {
    status: 504,
    retryable: false,
    text: 'The provider did not confirm the account in time. Try again.',
  },

  // Inside
  provider_unavailable: {
    status: 503,
    retryable: true,
    text: 'The provider could not be reached or answered with an error of its own. This is retried.',
  },
  rate_limited: {
    status: 503,
    retryable: true,
    text: 'The provider asked to slow down. This is retried at the time it named.',
  },
  refresh_pending: {
    status: 503,
    retryable: true,
    text: 'The token is being refreshed and the provider has not given a new one yet. This is retried.',
  },
  temporal_unavailable: {
    status: 503,
    retryable: true,
    text: 'The workflow service cannot be reached. Try again shortly.',
  },
  database_unavailable: { status: 503, retryable: true, text: 'The database cannot be reached. Try again shortly.' },
  database_not_migrated: {
    status: 503,
    retryable: true,
    text: 'The database is not at the version this release needs. Run `npm run migrate`.',
  },
  import_unfinished: {
    status: 503,
    retryable: true,
    text: 'An import into this database is under way or was interrupted. Run `npm run import` again with the same file.',
  },
  migration_failed: {
    status: 500,
    retryable: false,
    text: 'The database could not be migrated and was left as it was before the failed migration.',
  },
  credential_dead: {
    status: 409,
    retryable: false,
    text: 'This credential can no longer be used: its provider refuses it, or it was deleted. Its account has to be connected again.',
  },
  credential_in_use: {
    status: 409,
    retryable: false,
    text: 'Integrations use this credential. Delete them first, or delete it with `force=true`: they are then in ERROR until its account is connected again.',
  },
  claim_lost: {
    status: 503,
    retryable: true,
    text: 'Another worker took over these deliveries; it goes on with them.',
  },
  write_conflict: {
    status: 503,
    retryable: true,
    text: 'Too many writers changed the same record at once. Try again.',
  },
  secret_unreadable: {
    status: 500,
    retryable: false,
    text: 'A stored secret cannot be opened with the configured keys. The operator has to restore the key that sealed it (RELINK_KEYS).',
  },
  internal: {
    status: 500,
    retryable: false,
    text: 'Something unexpected happened. The log has the details under this request id.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; text: string }>;

export type ErrorCode = keyof typeof errorRegistry;

export interface ErrorIssue {
  readonly path: string;
  readonly message: string;
}

/** The error class of the registry. `detail` names the thing concerned (an id, a field); it must be safe to show. */
export class RelinkError extends Error {
  override readonly name = 'RelinkError';
  readonly status: number;
  readonly retryable: boolean;
  readonly issues: readonly ErrorIssue[];
  /** Milliseconds to wait before a retry, where the other side named a time. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    options: { cause?: unknown; issues?: readonly ErrorIssue[]; retryAfterMs?: number; retryable?: boolean } = {},
  ) {
    super(detail === undefined ? errorRegistry[code].text : `${errorRegistry[code].text} (${detail})`);
    this.status = errorRegistry[code].status;
    this.retryable = options.retryable ?? errorRegistry[code].retryable;
    this.issues = options.issues ?? [];
    this.retryAfterMs = options.retryAfterMs;
    // Not enumerable, so that loggers and serialisers do not spill what a library error carries.
    Object.defineProperty(this, 'cause', { value: options.cause, enumerable: false });
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorRegistry, value);
}

/** The code that a failed session's row holds; `internal` for one that this version does not know. */
export function readErrorCode(stored: string | null): ErrorCode {
  return isErrorCode(stored) ? stored : 'internal';
}

/** Thrown when settings are missing or wrong; the message lists every one of them, by name and never with its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`Relink cannot start with these settings:\n${problems.map(problem => `  - ${problem}`).join('\n')}`);
  }
}
