import { z } from 'zod';
import { deliveryStates } from '../../domain/delivery.js';
import { RelinkError } from '../../errors.js';
import { entityKeySeparator } from '../stored-shapes.js';
import { isTime, type RecordKind, type TransferRecord } from '../transfer/records.js';
import { atOnce, deliveryShape, stageOf, untouched } from './delivery-documents.js';
import { entityKeyOf } from './entity-key.js';
import {
  credentialShape,
  entityShape,
  integrationShape,
  sessionShape,
  subscriptionShape,
  tokenReadShape,
} from './map-documents.js';

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

/**
 * What is carried of a document: the shapes that the store reads it by, and what the store only writes. What an older version
 * left out is filled in as the store reads it; what no shape names is left behind.
 */
const shapes: Readonly<Record<RecordKind, z.ZodType<Fields>>> = {
  credentials: credentialShape,
  entities: entityShape,
  // As they are: these two are lists and objects on either side.
  integrations: integrationShape.extend({ causes: z.array(z.unknown()), epochs: z.record(z.string(), z.unknown()) }),
  authorization_sessions: sessionShape.extend({ stateHash: z.string() }),
  deliveries: deliveryShape.extend({ sequence: z.number(), sealedContent: z.string(), suspect: z.boolean() }),
  subscriptions: subscriptionShape,
  token_reads: tokenReadShape,
};

const toColumn = (field: string) => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
const toField = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const toJson = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
const toBson = (column: string, value: unknown) =>
  isTime(column) && typeof value === 'string' ? new Date(value) : value;

const integrationColumns = z.object({ entity_key: z.string(), config: z.unknown() });
const deliveryColumns = z.object({
  state: z.enum(deliveryStates),
  sealed_content: z.string(),
  next_attempt_at: z.iso.datetime({ offset: true }).nullish(),
});

/**
 * A document as a record: its columns as PostgreSQL has them.
 *
 * @throws RelinkError `invalid_request` naming a document that the store could not read either.
 */
export function toRecord(kind: RecordKind, document: Fields): TransferRecord {
  const { _id, entityIds, dueAt, ...fields } = readDocument(kind, document);
  const record: Fields = { [kind === 'subscriptions' ? 'integration_id' : 'id']: _id };
  const nested = objects[kind] ?? {};
  for (const [field, value] of Object.entries(fields)) {
    const columns = nested[field];
    if (columns === undefined) record[toColumn(field)] = toJson(value);
    else for (const [inner, column] of Object.entries(columns)) record[column] = toJson(readField(value, inner));
  }
  if (kind === 'subscriptions') record['failure_tries'] ??= 0;
  if (Array.isArray(entityIds)) record['entity_key'] = entityIds.join(entityKeySeparator);
  if (kind === 'deliveries') {
    record['next_attempt_at'] = dueAt instanceof Date && dueAt.getTime() !== atOnce.getTime() ? toJson(dueAt) : null;
    // Whoever held it is left behind.
    if (record['state'] === 'claimed') Object.assign(record, { state: 'queued', suspect: true });
  } else if (dueAt !== undefined) record['due_at'] = toJson(dueAt);
  return record;
}

function readDocument(kind: RecordKind, document: Fields): Fields {
  const read = shapes[kind].safeParse(document);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const told = `${kind} ${String(document['_id'])} cannot be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  throw new RelinkError('invalid_request', told, { cause: read.error });
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
