/**
 * What a credential is: a grant of the provider's consent page, or something its user copied from the provider's
 * settings. docs/credentials-api.md lists the same kinds; a test compares the two.
 */
export const credentialKinds = ['oauth2', 'api_key', 'basic', 'client_credentials'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** The kinds that a user hands over, instead of consenting. */
export const submittedKinds = ['api_key', 'basic', 'client_credentials'] as const satisfies readonly CredentialKind[];
export type SubmittedKind = (typeof submittedKinds)[number];
