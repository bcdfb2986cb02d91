import { z } from 'zod';
import { deliveryReasons } from '../domain/delivery.js';
import type { ProviderResponse } from '../integrations/handler-context.js';
import type { HandlerFacts, HandlerTask } from './handler-host.js';

export interface ThreadCall {
  readonly call: number;
  readonly task: HandlerTask;
  readonly facts: HandlerFacts;
}

/** What the host says to a thread. */
export type ToThread =
  | {
      readonly kind: 'run';
      readonly type: string;
      /** One after the other, in this order, until one is not done. */
      readonly calls: readonly ThreadCall[];
      /** After this (Date.now) no further one begins; the first always does. */
      readonly openUntil: number;
    }
  /** Of its turn nothing further begins. */
  | { readonly kind: 'abort'; readonly call: number }
  | {
      readonly kind: 'response';
      readonly request: number;
      readonly response: ProviderResponse | null;
      /** An error code when there is no response. */
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'ping' };

const number = z.int().nonnegative();
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('done'),
    subscription: z
      .object({
        secrets: z.array(z.string()).readonly(),
        // As text: a Date of the adopter's module need not be one of ours.
        expiresAt: z.iso
          .datetime()
          .transform(text => new Date(text))
          .nullable(),
      })
      .nullable(),
  }),
  z.object({
    kind: z.literal('failed'),
    reason: z.enum(deliveryReasons),
    detail: z.string().nullable(),
    retryable: z.boolean(),
    retryAfterMs: z.number().nullable(),
  }),
]);

/** How a handler ended, as its thread tells it. */
export type ThreadAnswer = z.input<typeof answerSchema>;

const requestSchema = z.object({
  entityId: z.string().optional(),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
  url: z.string().max(16_384),
  headers: z.record(z.string(), z.string()).optional(),
  json: z.unknown().optional(),
  body: z.string().optional(),
  timeoutMs: z.number().min(1).max(300_000).optional(),
});

/** Reads what a handler asks for: its form is the adopter's, not ours. */
export function parseRequest(wanted: unknown) {
  return requestSchema.safeParse(wanted);
}

/** What a thread says to the host. The adopter's code lives in there too, so every message is read as a stranger's. */
const fromThreadSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** The adopter's module cannot be loaded; the thread ends. */
  z.object({ kind: z.literal('unloadable'), detail: z.string() }),
  z.object({ kind: z.literal('ended'), call: number, answer: answerSchema }),
  /** This call and those behind it in its turn were not begun. */
  z.object({ kind: z.literal('left'), call: number }),
  z.object({
    kind: z.literal('log'),
    call: number,
    level: z.enum(['info', 'warn']),
    message: z.string(),
    fields: z.record(z.string(), scalar),
  }),
  z.object({ kind: z.literal('request'), call: number, request: number, wanted: z.unknown() }),
  /** `usedBytes`: of this thread alone, heap and buffers. */
  z.object({ kind: z.literal('pong'), usedBytes: z.number().nonnegative() }),
]);
export type FromThread = z.output<typeof fromThreadSchema>;
/** The same as a thread writes it. */
export type ThreadMessage = z.input<typeof fromThreadSchema>;

/** Null for anything that is no message of ours. */
export function parseFromThread(message: unknown): FromThread | null {
  return fromThreadSchema.safeParse(message).data ?? null;
}

export interface ThreadData {
  readonly modulePath: string;
  /** More than this, heap and buffers together, ends the thread. */
  readonly memoryBytes: number;
}
