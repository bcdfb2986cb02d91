/** The search attributes of every Relink workflow; all of type Keyword. Never a secret, never a person's data. */
export const searchAttributeNames = [
  'IntegrationId',
  'EntityId',
  'CredentialId',
  'Provider',
  'Stage',
  'Outcome',
] as const;
