/** The search attributes of every Relink workflow; all of type Keyword. Never a secret, never a person's data. */
export const searchAttributeNames = [
  'IntegrationId',
  'EntityId',
  'CredentialId',
  'Provider',
  'Stage',
  'Outcome',
] as const;
export type SearchAttributeName = (typeof searchAttributeNames)[number];

/** What a dev server is given when its database is made. */
export const searchAttributeKinds: Readonly<Record<string, 'Keyword'>> = Object.fromEntries(
  searchAttributeNames.map(name => [name, 'Keyword']),
);
