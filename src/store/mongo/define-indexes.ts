import type { Collections } from './connect.js';

export interface IndexDefinition {
  readonly name: string;
  /** In the order of the index; 1 is ascending. */
  readonly key: Readonly<Record<string, 1>>;
  readonly unique?: true;
}

const index = (...fields: string[]): IndexDefinition => ({
  name: fields.map(field => field.replace('.', '_')).join('_'),
  key: Object.fromEntries(fields.map(field => [field, 1])),
});
const unique = (...fields: string[]): IndexDefinition => ({ ...index(...fields), unique: true });

/**
 * Every index of every collection: plain or unique, over plain fields, which is what each product has. Every query of the
 * store has one that serves it by its first fields; a test holds it to that.
 */
export const indexes: Readonly<Record<keyof Collections, readonly IndexDefinition[]>> = {
  sessions: [unique('stateHash'), index('state', 'updatedAt', '_id')],
  credentials: [
    unique('userId', 'provider', 'externalId'),
    index('userId', '_id'),
    index('provider', 'refreshDueAt'),
    index('grantWarnAt'),
    index('verdict.code', 'updatedAt', '_id'),
  ],
  entities: [
    unique('userId', 'provider', 'externalId'),
    index('userId', '_id'),
    index('credentialId'),
    index('provider', 'externalId'),
  ],
  integrations: [
    unique('userId', 'type', 'entityKey'),
    index('userId', '_id'),
    index('entityIds', '_id'),
    index('causes.credentialId', '_id'),
    index('lifecycle', 'updatedAt', '_id'),
    index('resuming', 'updatedAt', '_id'),
  ],
  deliveries: [
    unique('integrationId', 'externalId'),
    // What is still to be done, in the order of arrival: claims, counts and the sweep read only its part `pending`.
    index('stage', 'integrationId', 'sequence'),
    index('integrationId', 'stage', '_id'),
    index('integrationId', '_id'),
    // What retention deletes, oldest first.
    index('finishedAt'),
  ],
  consumers: [index('since')],
  tokenReads: [index('credentialId', '_id'), index('readAt')],
  subscriptions: [index('dueAt', '_id')],
  counters: [],
  migrations: [],
};
