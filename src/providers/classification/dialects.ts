import type { ClassificationRule } from './rules.js';

/** How one provider's token endpoint says what RFC 6749 says otherwise. */
export interface TokenDialect {
  /** Fields of the body that hold the error code, best first. Default: `error`. */
  readonly errorFields?: readonly string[];
  readonly rules: readonly ClassificationRule[];
}

/** Every provider's words for `invalid_client` and the like: an exchange is not worth a guess whose word it is. */
export function listOperatorFaults(): ReadonlySet<string> {
  const rules = Object.values(tokenDialects).flatMap(dialect => dialect.rules);
  const faults = rules.filter(({ means }) => means === 'operator_fault').map(({ when }) => when.error);
  return new Set(faults.flatMap(codes => (codes === undefined || codes === 'any' ? [] : codes)));
}

/** By the provider's id. Source of each: the provider's documentation or threads of its users, named at the row. */
export const tokenDialects: Readonly<Record<string, TokenDialect>> = {
  // docs.github.com/apps: troubleshooting OAuth access token request errors. All come with status 200.
  github: {
    rules: [
      { what: '`bad_refresh_token`', when: { error: ['bad_refresh_token'] }, means: 'definitive' },
      {
        what: '`incorrect_client_credentials`',
        when: { error: ['incorrect_client_credentials'] },
        means: 'operator_fault',
      },
    ],
  },
  // docs.slack.dev/authentication/using-token-rotation and the errors of oauth.v2.access: 200 {"ok":false,"error":…}.
  slack: {
    rules: [
      {
        what: '`invalid_refresh_token`, `token_revoked`, `token_expired`, `account_inactive`',
        when: { error: ['invalid_refresh_token', 'token_revoked', 'token_expired', 'account_inactive'] },
        means: 'definitive',
      },
      {
        what: '`bad_client_secret`, `invalid_client_id`',
        when: { error: ['bad_client_secret', 'invalid_client_id'] },
        means: 'operator_fault',
      },
      { what: '`ratelimited`', when: { error: ['ratelimited'] }, means: 'rate_limited' },
      {
        what: '`internal_error`, `fatal_error`, `service_unavailable`',
        when: { error: ['internal_error', 'fatal_error', 'service_unavailable'] },
        means: 'unknown',
      },
    ],
  },
  // zoho.com/accounts/protocol/oauth/web-apps: error codes. They may come with status 200.
  zoho: {
    rules: [
      { what: '`invalid_code`', when: { error: ['invalid_code'] }, means: 'definitive' },
      { what: '`invalid_client_secret`', when: { error: ['invalid_client_secret'] }, means: 'operator_fault' },
      { what: '400 `Access Denied`: too many requests', when: { error: ['Access Denied'] }, means: 'rate_limited' },
    ],
  },
  // developers.hubspot.com/docs/api-reference: the code of its own errors stands in `status`.
  hubspot: {
    errorFields: ['error', 'status'],
    rules: [
      { what: '`BAD_REFRESH_TOKEN`', when: { error: ['BAD_REFRESH_TOKEN'] }, means: 'definitive' },
      {
        what: '`BAD_CLIENT_ID`, `BAD_CLIENT_SECRET`',
        when: { error: ['BAD_CLIENT_ID', 'BAD_CLIENT_SECRET'] },
        means: 'operator_fault',
      },
    ],
  },
  // learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow: error codes for token endpoint errors.
  microsoft: {
    rules: [
      {
        what: '`interaction_required`, `consent_required`',
        when: { error: ['interaction_required', 'consent_required'] },
        means: 'definitive',
      },
    ],
  },
};
