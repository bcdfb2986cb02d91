import { z } from 'zod';

/** What a caller process is asked to do, as JSON in the body of a POST. */
export const callerTaskSchema = z.discriminatedUnion('task', [
  /** So many calls at once, each of which should meet a 401 and end in a 200. */
  z.object({ task: z.literal('round'), integrationId: z.string(), callers: z.int() }),
  /** Calls one after the other, so many at a time. */
  z.object({ task: z.literal('calls'), integrationId: z.string(), calls: z.int(), atOnce: z.int() }),
  /** A request against a bare one with the same token, in turns. */
  z.object({ task: z.literal('fast_path'), integrationId: z.string(), pairs: z.int(), url: z.url() }),
]);
export type CallerTask = z.infer<typeof callerTaskSchema>;

export const callerResultSchema = z.object({
  ok: z.int(),
  /** How often each other end came: an error's code, or `status <n>`. */
  failures: z.record(z.string(), z.int()),
  /** Milliseconds from a call's 401 to its 200, of those that met one; of `fast_path` the whole request. */
  ms: z.array(z.number()),
  /** Of `fast_path`: the bare request. */
  bareMs: z.array(z.number()),
});
export type CallerResult = z.infer<typeof callerResultSchema>;
