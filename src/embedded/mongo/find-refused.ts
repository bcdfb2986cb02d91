import {
  supportedCollectionOptions,
  supportedCommands,
  supportedCommonFields,
  supportedDeleteFields,
  supportedExpressions,
  supportedFields,
  supportedIndexOptions,
  supportedQueryOperators,
  supportedStages,
  supportedUpdateFields,
  supportedUpdateOperators,
} from './documentdb-support.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The first thing in a command that is outside Amazon's list, in words; undefined when all of it is inside.
 *
 * @param command The command as it goes over the wire, its arrays included.
 */
export function findRefused(command: Fields): string | undefined {
  const [name = ''] = Object.keys(command);
  if (!supportedCommands.has(name)) return `the command ${name}`;
  // What a driver adds to a retryable write; within a transaction it adds autocommit too, and none is used.
  if ('txnNumber' in command) return 'retryable writes (txnNumber)';
  const known = supportedFields[name];
  const field = known && Object.keys(command).find(key => !known.has(key) && !supportedCommonFields.has(key));
  if (field !== undefined) return `the field ${field} of ${name}`;
  return [...problemsOf(name, command)][0];
}

function* problemsOf(name: string, command: Fields): Generator<string> {
  switch (name) {
    case 'find':
      yield* operators(command['filter'], supportedQueryOperators);
      yield* operators(command['projection'], supportedQueryOperators);
      break;
    case 'count':
    case 'distinct':
      yield* operators(command['query'], supportedQueryOperators);
      break;
    case 'findAndModify':
      yield* operators(command['query'], supportedQueryOperators);
      yield* update(command['update']);
      break;
    case 'update':
      for (const one of listOf(command['updates'])) {
        yield* fields(one, supportedUpdateFields, 'an update');
        yield* operators(one['q'], supportedQueryOperators);
        yield* update(one['u']);
      }
      break;
    case 'delete':
      for (const one of listOf(command['deletes'])) {
        yield* fields(one, supportedDeleteFields, 'a delete');
        yield* operators(one['q'], supportedQueryOperators);
      }
      break;
    case 'aggregate':
      yield* pipeline(command['pipeline']);
      break;
    case 'createIndexes':
      for (const index of listOf(command['indexes'])) {
        yield* fields(index, supportedIndexOptions, 'an index');
        yield* operators(index['partialFilterExpression'], supportedQueryOperators);
      }
      break;
    case 'create':
    case 'collMod':
      yield* fields(command, new Set([name, ...supportedCollectionOptions, ...supportedCommonFields]), 'a collection');
      break;
  }
}

function* fields(value: Fields, known: ReadonlySet<string>, of: string): Generator<string> {
  for (const key of Object.keys(value)) if (!known.has(key)) yield `${key} of ${of}`;
}

function* pipeline(stages: unknown): Generator<string> {
  for (const stage of listOf(stages)) {
    yield* fields(stage, supportedStages, 'a pipeline');
    for (const [name, content] of Object.entries(stage)) {
      if (name === '$match') yield* operators(content, supportedQueryOperators);
      else if (name !== '$lookup' || !isFields(content)) yield* operators(content, supportedExpressions);
      else {
        yield* operators(content['let'], supportedExpressions);
        yield* pipeline(content['pipeline']);
      }
    }
  }
}

function* update(value: unknown): Generator<string> {
  if (Array.isArray(value)) yield 'an update by a pipeline';
  else yield* operators(value, supportedUpdateOperators);
}

/** Every key that begins with a dollar sign, at any depth; `$jsonSchema` holds a schema, and `$expr` what a stage may hold. */
function* operators(value: unknown, known: ReadonlySet<string>): Generator<string> {
  if (Array.isArray(value)) {
    for (const item of value) yield* operators(item, known);
    return;
  }
  if (!isFields(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$') && !known.has(key)) yield `the operator ${key}`;
    if (key !== '$jsonSchema') yield* operators(inner, key === '$expr' ? supportedExpressions : known);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !('_bsontype' in value);
}

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
