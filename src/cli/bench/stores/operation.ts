import type { PostgresClient } from '../../../store/postgres/create-client.js';
import type { Collections } from '../../../store/mongo/connect.js';
import type { Store } from '../../../store/port/store.js';
import type { Scene } from './scene.js';
import type { Sealing } from './sealing.js';

/**
 * The first `raw` statements that the port itself sends, sent by the client's raw query: of those operations that are
 * raw SQL in the store too. The number is that of an ordinary run, without looks that only follow when a condition did
 * not hold.
 */
export interface Raw<Input> {
  readonly raw: number;
  /** What the client's own methods do after them, given their answer. */
  next?(this: void, client: PostgresClient, input: Input, answer: unknown): Promise<unknown>;
}

export interface Definition<Input> {
  readonly name: string;
  /** Its statements change what they find, so every call needs an input of its own. */
  readonly writes: boolean;
  /** What so many calls work on, made beforehand and not timed. */
  prepare(scene: Scene, count: number): readonly Input[] | Promise<readonly Input[]>;
  /** The call of the port, with what its caller seals and opens. */
  port(store: Store, input: Input, sealing: Sealing): Promise<unknown>;
  /** The same statements by the generated client: same rows, same conditions. */
  readonly prisma: ((client: PostgresClient, input: Input, sealing: Sealing) => Promise<unknown>) | Raw<Input>;
  /** The same statements by the official driver. */
  mongo(collections: Collections, input: Input, sealing: Sealing): Promise<unknown>;
}

/** An operation over inputs that are prepared already; the type of the inputs is its own business. */
export interface PreparedCalls {
  readonly count: number;
  port(store: Store, place: number, sealing: Sealing): Promise<unknown>;
  prisma(client: PostgresClient, place: number, sealing: Sealing): Promise<unknown>;
  /** What follows the raw statements; their answer where nothing does. */
  afterRaw(client: PostgresClient, place: number, answer: unknown): Promise<unknown>;
  mongo(collections: Collections, place: number, sealing: Sealing): Promise<unknown>;
}

export interface Operation {
  readonly name: string;
  readonly writes: boolean;
  /** Set when the generated client sends the port's own statements: how many of them, and of the port's in all. */
  readonly raw: { readonly first: number; readonly all: number } | undefined;
  prepare(scene: Scene, count: number): Promise<PreparedCalls>;
}

export function defineOperation<Input>(definition: Definition<Input>): Operation {
  const { name, writes, prisma } = definition;
  return {
    name,
    writes,
    raw:
      typeof prisma === 'function'
        ? undefined
        : { first: prisma.raw, all: prisma.raw + (prisma.next === undefined ? 0 : 1) },
    async prepare(scene, count) {
      const inputs = await definition.prepare(scene, count);
      const at = (place: number): Input => {
        const input = inputs[place % inputs.length];
        if (input === undefined) throw new Error(`${name}: nothing was prepared`);
        return input;
      };
      return {
        count,
        port: (store, place, sealing) => definition.port(store, at(place), sealing),
        prisma: (client, place, sealing) => {
          if (typeof prisma !== 'function') throw new Error(`${name} is raw`);
          return prisma(client, at(place), sealing);
        },
        afterRaw: (client, place, answer) =>
          typeof prisma === 'function' || prisma.next === undefined
            ? Promise.resolve(answer)
            : prisma.next(client, at(place), answer),
        mongo: (collections, place, sealing) => definition.mongo(collections, at(place), sealing),
      };
    },
  };
}

/** How many rows a call returned or changed: the port and the bare form have to agree. */
export function countRows(result: unknown): number {
  if (result === null || result === undefined || result === false) return 0;
  if (result === true) return 1;
  if (typeof result === 'number') return result;
  if (Array.isArray(result)) return result.length;
  if (result instanceof Set) return result.size;
  if (typeof result !== 'object') return 0;
  for (const key of ['count', 'matchedCount', 'insertedCount', 'deletedCount']) {
    const value: unknown = Reflect.get(result, key);
    if (typeof value === 'number') return value;
  }
  const rows: unknown = Reflect.get(result, 'rows');
  return Array.isArray(rows) ? rows.length : 1;
}
