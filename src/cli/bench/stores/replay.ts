import type { Pool } from 'pg';
import { z } from 'zod';
import type { PostgresClient } from '../../../store/postgres/create-client.js';

const statementShape = z.object({ text: z.string(), values: z.array(z.unknown()).default([]) });
export type Statement = z.output<typeof statementShape>;

/** What one call sends. */
export interface Sent {
  readonly statements: readonly Statement[];
  readonly isTransaction: boolean;
}

/**
 * Notes what is sent by way of a pool: so that the very same statements can be sent again without the port. Dry, nothing
 * reaches the database: what a call writes is then still to be written, by whoever sends it again.
 */
export class Recorder {
  private sent: Statement[] = [];
  private isDry = false;
  /** The same pool, noted. */
  readonly pool: Pool;

  constructor(pool: Pool) {
    const note = (statement: unknown): Promise<unknown> => {
      this.sent.push(statementShape.parse(statement));
      if (!this.isDry) return Promise.resolve(Reflect.apply(Reflect.get(pool, 'query'), pool, [statement]));
      return Promise.resolve({ fields: [], rows: [], rowCount: 1 });
    };
    const nothing = () => undefined;
    const connection = { query: note, on: nothing, removeListener: nothing, release: nothing };
    this.pool = new Proxy(pool, {
      get: (target, key, receiver): unknown => {
        if (key === 'query') return note;
        if (key === 'connect' && this.isDry) return () => Promise.resolve(connection);
        return Reflect.get(target, key, receiver);
      },
    });
  }

  /** @param first Of what is sent only so many statements, where the rest follows from answers that a dry run lacks. */
  async record(call: () => Promise<unknown>, isDry: boolean, first?: number): Promise<Sent> {
    this.sent = [];
    this.isDry = isDry;
    try {
      await call();
    } catch (error) {
      if (!isDry) throw error;
    }
    const marks = new Set(['BEGIN', 'COMMIT', 'ROLLBACK']);
    const statements = this.sent.filter(({ text }) => !marks.has(text)).slice(0, first);
    if (statements.length === 0 || (first !== undefined && statements.length < first)) {
      throw new Error(`A call that was to send ${first ?? 'a statement'} sent ${statements.length}`);
    }
    return { statements, isTransaction: statements.length < this.sent.length && this.sent[0]?.text === 'BEGIN' };
  }
}

/** By the generated client, as raw SQL; the answer to the last statement. */
export async function replayByClient(client: PostgresClient, { statements, isTransaction }: Sent): Promise<unknown> {
  const send = ({ text, values }: Statement) => client.$queryRawUnsafe(text, ...values);
  if (isTransaction) return (await client.$transaction(statements.map(send))).at(-1);
  let answer: unknown;
  for (const statement of statements) answer = await send(statement);
  return answer;
}

/** By the driver, prepared under a name as the store's are. */
export async function replayByDriver(
  pool: Pool,
  nameOf: (query: { readonly sql: string }) => string,
  { statements, isTransaction }: Sent,
): Promise<void> {
  const on = isTransaction ? await pool.connect() : undefined;
  try {
    if (on !== undefined) await on.query('BEGIN');
    for (const { text, values } of statements) {
      await (on ?? pool).query({ name: nameOf({ sql: text }), text, values: [...values] });
    }
    if (on !== undefined) await on.query('COMMIT');
  } finally {
    on?.release();
  }
}
