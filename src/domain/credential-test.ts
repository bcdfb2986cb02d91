/** How the last test of a credential ended, as its row keeps it. */
export const credentialTestOutcomes = ['ok', 'refused', 'needs_refresh', 'unreachable'] as const;
export type CredentialTestOutcome = (typeof credentialTestOutcomes)[number];
