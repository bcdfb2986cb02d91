/** What an answer of a token endpoint means for the grant. */
export const answerMeanings = ['ok', 'definitive', 'transient', 'rate_limited', 'operator_fault', 'unknown'] as const;
/**
 * `ok`: new tokens. `definitive`: the grant is dead. `transient`: nothing happened; again later. `rate_limited`: the
 * same, at the time it names. `operator_fault`: this product's registration is wrong, not the user's grant. `unknown`:
 * the tokens may have been issued, and their answer lost.
 */
export type AnswerMeaning = (typeof answerMeanings)[number];

/** Which answers a rule is about: all that is named has to fit. */
export interface AnswerPattern {
  /** `not_sent`: it failed before a byte was sent. `cut`: it was sent, and no whole answer came. */
  readonly failure?: 'not_sent' | 'cut';
  /** One status or several, or a class of them. */
  readonly status?: readonly number[] | '2xx' | '4xx' | '5xx';
  /** The body's error code: one of these, or that there is one at all. */
  readonly error?: readonly string[] | 'any';
  /** A challenge in the scheme by which this product had named itself. */
  readonly challenge?: true;
  /** The body holds a usable token. */
  readonly token?: true;
}

export interface ClassificationRule {
  /** For people: a row of the table in docs/credentials.md. */
  readonly what: string;
  readonly when: AnswerPattern;
  readonly means: AnswerMeaning;
}

/** Whatever its body says, such an answer says nothing about the grant: asked before any dialect. */
export const outageRules: readonly ClassificationRule[] = [
  { what: 'no connection: not a byte was sent', when: { failure: 'not_sent' }, means: 'transient' },
  {
    what: 'sent, and no whole answer: silence, a reset, an answer cut off or too large',
    when: { failure: 'cut' },
    means: 'unknown',
  },
  { what: 'status 429, whatever its body', when: { status: [429] }, means: 'rate_limited' },
  { what: 'status 408 or 5xx, whatever its body', when: { status: [408] }, means: 'unknown' },
  { what: 'status 408 or 5xx, whatever its body', when: { status: '5xx' }, means: 'unknown' },
];

/** For every provider, after its own dialect. The first rule that fits decides. RFC 6749 section 5.2. */
export const generalRules: readonly ClassificationRule[] = [
  {
    what: '`invalid_client` or `unauthorized_client`, also inside a 200',
    when: { error: ['invalid_client', 'unauthorized_client'] },
    means: 'operator_fault',
  },
  {
    what: '401 with a challenge to this product, and no error code',
    when: { status: [401], challenge: true },
    means: 'operator_fault',
  },
  { what: '`invalid_grant`, also inside a 200 or a 403', when: { error: ['invalid_grant'] }, means: 'definitive' },
  {
    what: '`unsupported_grant_type` or `invalid_scope`',
    when: { error: ['unsupported_grant_type', 'invalid_scope'] },
    means: 'operator_fault',
  },
  {
    what: '`server_error` or `temporarily_unavailable` under a good status',
    when: { status: '2xx', error: ['server_error', 'temporarily_unavailable'] },
    means: 'unknown',
  },
  { what: 'any other error code', when: { error: 'any' }, means: 'transient' },
  { what: '2xx with a usable token', when: { status: '2xx', token: true }, means: 'ok' },
  {
    what: '2xx with neither token nor error: an empty body, HTML of a proxy, wrong types',
    when: { status: '2xx' },
    means: 'unknown',
  },
  { what: 'anything else: 4xx without an error code, a redirect', when: {}, means: 'transient' },
];
