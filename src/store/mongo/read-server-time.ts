import type { Db } from 'mongodb';
import { z } from 'zod';

const greeting = z.object({ localTime: z.date() });

/** The clock of the server that takes the writes: `hello` tells it, on every product and without any right. */
export async function readServerTime(db: Db): Promise<Date> {
  return greeting.parse(await db.command({ hello: 1 })).localTime;
}
