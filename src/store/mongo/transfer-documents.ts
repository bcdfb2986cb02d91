import { z } from 'zod';
import { entityKeySeparator } from '../stored-shapes.js';
import type { RecordKind, TransferRecord } from '../transfer/records.js';
import { atOnce, stageOf, untouched } from './delivery-documents.js';
import { entityKeyOf } from './entity-key.js';
import { deliveryStates } from '../../domain/delivery.js';

type Fields = Record<string, unknown>;

/** Columns that stand together in one object of a document: the object's name, and each of its fields' columns. */
const objects: Readonly<Partial<Record<RecordKind, Readonly<Record<string, Readonly<Record<string, string>>>>>>> = {
  authorization_sessions: {
    account: {
      externalId: 'account_external_id',
      credentialExternalId: 'account_credential_id',
      name: 'account_name',
    },
  },
  credentials: {
    verdict: { code: 'verdict_code', httpStatus: 'verdict_http_status', since: 'verdict_since' },
    lastTest: { outcome: 'last_test_outcome', generation: 'last_test_generation', at: 'last_test_at' },
  },
  subscriptions: {
    failure: { detail: 'failure_detail', since: 'failure_since', tries: 'failure_tries' },
  },
};

/** Fields that a record may leave out; a document has them as null, which validators ask for. */
const nullable: Readonly<Record<RecordKind, readonly string[]>> = {
  credentials: ['expiresAt', 'refreshPostedAt', 'refreshDueAt', 'grantEndsAt', 'grantWarnAt'],
  entities: ['name'],
  integrations: ['resumeSince'],
  authorization_sessions: [
    ...['returnUrl', 'expectedEntityId', 'expectedExternalId', 'browserHash', 'sealedGrant', 'grantSequence'],
    ...['credentialId', 'entityId', 'errorCode'],
  ],
  deliveries: ['reason', 'detail', 'finishedAt'],
  subscriptions: ['sealedSecrets', 'expiresAt', 'dueAt'],
  token_reads: [],
};

/** What a document has for its indexes, for its consumer, or computes from the rest. */
const ours: Readonly<Partial<Record<RecordKind, readonly string[]>>> = {
  credentials: ['removing', 'pins'],
  entities: ['removing', 'pins'],
  integrations: ['entityIds', 'entityKey', 'resuming'],
  deliveries: ['stage', 'dueAt', 'size', 'fence', 'lot', 'claim'],
};

const toColumn = (field: string) => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
const toField = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const isTime = (column: string) => /(_at|_since)$/.test(column);
const toJson = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
const toBson = (column: string, value: unknown) =>
  isTime(column) && typeof value === 'string' ? new Date(value) : value;

const integrationFields = z.object({ entityIds: z.array(z.string()), config: z.string() });
const deliveryFields = z.object({ dueAt: z.date(), state: z.enum(deliveryStates), suspect: z.boolean() });
const integrationColumns = z.object({ entity_key: z.string(), config: z.unknown() });
const deliveryColumns = z.object({
  state: z.enum(deliveryStates),
  sealed_content: z.string(),
  next_attempt_at: z.iso.datetime({ offset: true }).nullish(),
});

/** A document as a record: its columns as PostgreSQL has them. */
export function toRecord(kind: RecordKind, document: Fields): TransferRecord {
  const record: Fields = { [kind === 'subscriptions' ? 'integration_id' : 'id']: document['_id'] };
  const nested = objects[kind] ?? {};
  for (const [field, value] of Object.entries(document)) {
    const columns = nested[field];
    if (columns !== undefined) {
      for (const [inner, column] of Object.entries(columns)) record[column] = toJson(readField(value, inner));
    } else if (field !== '_id' && ours[kind]?.includes(field) !== true) record[toColumn(field)] = toJson(value);
  }
  if (kind === 'subscriptions') record['failure_tries'] ??= 0;
  if (kind === 'integrations') {
    const { entityIds, config } = integrationFields.parse(document);
    record['entity_key'] = entityIds.join(entityKeySeparator);
    record['config'] = JSON.parse(config);
  }
  if (kind === 'deliveries') {
    const { dueAt, state } = deliveryFields.parse(document);
    record['next_attempt_at'] = dueAt.getTime() === atOnce.getTime() ? null : dueAt.toISOString();
    // Whoever held it is left behind.
    if (state === 'claimed') Object.assign(record, { state: 'queued', suspect: true });
  }
  return record;
}

/** A record as a document, every field given: what a record leaves out is null. */
export function toDocument(kind: RecordKind, record: TransferRecord): Fields & { _id: string } {
  const id = z.string().parse(record[kind === 'subscriptions' ? 'integration_id' : 'id']);
  const nested = objects[kind] ?? {};
  const inObjects = new Set(Object.values(nested).flatMap(columns => Object.values(columns)));
  const document: Fields & { _id: string } = {
    _id: id,
    ...Object.fromEntries(nullable[kind].map(field => [field, null])),
  };
  for (const [column, value] of Object.entries(record)) {
    const isKey = column === 'id' || (kind === 'subscriptions' && column === 'integration_id');
    if (!isKey && !inObjects.has(column)) document[toField(column)] = toBson(column, value);
  }
  for (const [field, columns] of Object.entries(nested)) {
    const given = Object.entries(columns).filter(([, column]) => (record[column] ?? null) !== null);
    // A count of no failures is no failure.
    const isThere = given.some(([, column]) => column !== 'failure_tries');
    document[field] = isThere
      ? Object.fromEntries(
          Object.entries(columns).map(([inner, column]) => [inner, toBson(column, record[column] ?? null)]),
        )
      : null;
  }
  if (kind === 'integrations') {
    const { entity_key, config } = integrationColumns.parse(record);
    const entityIds = entity_key.split(entityKeySeparator);
    Object.assign(document, { entityIds, entityKey: entityKeyOf(entityIds), config: JSON.stringify(config) });
    Object.assign(document, { resuming: (record['resume_since'] ?? null) !== null });
  }
  if (kind === 'deliveries') {
    const { state, sealed_content, next_attempt_at } = deliveryColumns.parse(record);
    delete document['nextAttemptAt'];
    Object.assign(document, {
      ...{ claim: null, lot: null, fence: untouched.fence, stage: stageOf(state), size: sealed_content.length },
      dueAt: next_attempt_at === undefined || next_attempt_at === null ? atOnce : new Date(next_attempt_at),
    });
  }
  return document;
}

function readField(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, field) ?? null) : null;
}
