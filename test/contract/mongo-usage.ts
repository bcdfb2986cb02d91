import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandStartedEvent, MongoClient } from 'mongodb';
import { indexes, type IndexDefinition } from '../../src/store/mongo/define-indexes.js';
import { openCollections } from '../../src/store/mongo/connect.js';

type Fields = Readonly<Record<string, unknown>>;

export interface Usage {
  readonly commands: Set<string>;
  readonly operators: Set<string>;
  /** Queries that no index serves by its first fields: collection, filter and order. */
  readonly unserved: Set<string>;
  /** How many queries were looked at. */
  queries: number;
}

/** Collects what a store sends, by the driver's command events. */
export function watchUsage(client: MongoClient, usage: Usage): void {
  const collections = openCollections(client.db());
  const indexesOf = new Map(
    Object.entries(collections).map(([name, { collectionName }]) => [
      collectionName,
      indexes[name as keyof typeof indexes],
    ]),
  );
  client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) => {
    const sent = command as Fields;
    noteUsage(usage, commandName, sent);
    const collection = String(sent[commandName]);
    for (const { filter, sort } of queriesOf(commandName, sent)) {
      usage.queries += 1;
      const known = [...(indexesOf.get(collection) ?? []), primary];
      const query = `${collection} ${Object.keys(filter).join(',')} by ${Object.keys(sort).join(',')}`;
      const order = sortedInMemory.has(query) ? {} : sort;
      const isServed = foundFromTheEnd.has(query) || known.some(index => serves(index, filter, order));
      if (!isServed) usage.unserved.add(query);
    }
  });
}

/** Notes a command by its name and the operators in it. */
export function noteUsage(usage: Pick<Usage, 'commands' | 'operators'>, name: string, sent: Fields): void {
  usage.commands.add(name);
  for (const key of ['filter', 'query', 'update', 'updates', 'deletes', 'pipeline', 'projection', 'validator']) {
    collectOperators(sent[key], usage.operators);
  }
}

export const newUsage = (): Usage => ({
  commands: new Set(),
  operators: new Set(),
  unserved: new Set(),
  queries: 0,
});

const primary: IndexDefinition = { name: '_id', key: { _id: 1 } };

function* queriesOf(name: string, sent: Fields): Generator<{ filter: Fields; sort: Fields }> {
  const none: Fields = {};
  // The driver sends an order as a map.
  const toFields = (value: unknown) =>
    value instanceof Map ? (Object.fromEntries(value) as Fields) : (value as Fields);
  const one = (filter: unknown, sort: unknown = none) => ({ filter: toFields(filter), sort: toFields(sort) });
  if (name === 'find') yield one(sent['filter'], sent['sort'] ?? none);
  if (name === 'findAndModify' || name === 'distinct') yield one(sent['query']);
  if (name === 'update') for (const { q } of sent['updates'] as { q: Fields }[]) yield one(q);
  if (name === 'delete') for (const { q } of sent['deletes'] as { q: Fields }[]) yield one(q);
  if (name === 'aggregate') yield one((sent['pipeline'] as Fields[])[0]?.['$match']);
}

/**
 * Whether the index finds these documents by its first fields: fields held to values first, then either the order asked
 * for, or one range. A whole list in the order of its key needs no condition, and has none beside the index.
 */
function serves({ key }: IndexDefinition, filter: Fields, sort: Fields): boolean {
  const fields = Object.keys(key);
  const held = fields.findIndex(field => !(field in filter) || isRange(filter[field]));
  const exact = held === -1 ? fields.length : held;
  const rest = fields.slice(exact);
  const order = Object.keys(sort).filter(field => !fields.slice(0, exact).includes(field));
  const inOrder = order.every((field, place) => rest[place] === field);
  if (exact > 0) return inOrder;
  const [first = ''] = fields;
  // A page begins behind an id: that is no range which bounds what is looked through for another condition.
  const isBounded = first !== '_id' && isRange(filter[first]);
  const isAllInIt = Object.keys(filter).every(field => fields.includes(field));
  return order.length > 0 ? inOrder && (isBounded || isAllInIt) : isRange(filter[first]);
}

/**
 * The only queries whose order no index gives, because what they find is bounded: the next one due of what waits for one
 * integration, and the lot that one claim has just taken, by its ids.
 */
const sortedInMemory: ReadonlySet<string> = new Set([
  'deliveries stage,integrationId,state by dueAt',
  'deliveries _id,lot by sequence',
]);

/** Takes the first that fits of the whole list in its order: the newest credential that holds tokens, as nearly all do. */
const foundFromTheEnd: ReadonlySet<string> = new Set(['credentials sealedTokens by _id']);

function isRange(condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null || condition instanceof Date) return false;
  return Object.keys(condition).some(key => ['$gt', '$gte', '$lt', '$lte', '$ne'].includes(key));
}

function collectOperators(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) return value.forEach(item => collectOperators(item, into));
  if (typeof value !== 'object' || value === null || value instanceof Date || '_bsontype' in value) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$')) into.add(key);
    collectOperators(inner, into);
  }
}

/** The list in the documents: the names in the line that begins with `title`. */
export function readDocumented(title: string): string[] {
  const text = readFileSync(join(__dirname, '../../docs/databases.md'), 'utf8');
  const line = text.split('\n').find(candidate => candidate.startsWith(`- ${title}:`));
  if (line === undefined) throw new Error(`docs/databases.md has no list "${title}"`);
  return [...line.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '').sort();
}
