import { z } from 'zod';
import type { IntegrationDefinition } from '../integrations/definition.js';
import type { HandlerContext } from '../integrations/handler-context.js';
import type { HandlerTask } from './handler-host.js';
import type { ThreadAnswer } from './thread-messages.js';

type Subscription = Extract<ThreadAnswer, { kind: 'done' }>['subscription'];
type Failure = Extract<ThreadAnswer, { kind: 'failed' }>;

const longestDetail = 300;
const longestRetryMs = 24 * 3_600_000;

/** Years of four digits: what a factor of 1,000 too much makes of a time crosses no thread as text. */
const expiry = z.date().min(new Date(0)).max(new Date('9999-12-31T23:59:59.999Z'));
const ensuredSchema = z
  .object({ secrets: z.array(z.string().min(1).max(4096)).max(10), expiresAt: expiry.nullable() })
  .nullable();

/** Runs one hook of a definition and tells how it ended; never rejects. What it returns counts for a subscription only. */
export async function runHandler(
  definition: IntegrationDefinition | null,
  task: HandlerTask,
  context: HandlerContext,
): Promise<ThreadAnswer> {
  try {
    return { kind: 'done', subscription: await runTask(definition, task, context) };
  } catch (error) {
    try {
      return describeFailure(error);
    } catch {
      return { ...plainFailure, detail: 'threw an Error that cannot be read' };
    }
  }
}

async function runTask(
  definition: IntegrationDefinition | null,
  task: HandlerTask,
  context: HandlerContext,
): Promise<Subscription> {
  switch (task.kind) {
    case 'webhook':
      if (definition?.onWebhook === undefined) throw new MissingHandler();
      await definition.onWebhook(task.delivery, context);
      return null;
    case 'reconnected':
      await definition?.onReconnected?.(context, { since: new Date(task.since) });
      return null;
    case 'ensure_subscription': {
      const parsed = ensuredSchema.safeParse((await definition?.ensureSubscription?.(context)) ?? null);
      if (parsed.success) {
        return parsed.data && { ...parsed.data, expiresAt: parsed.data.expiresAt?.toISOString() ?? null };
      }
      throw new GarbageAnswer(parsed.error.issues.map(issue => issue.path.join('.') || 'the value').join(', '));
    }
  }
}

const plainFailure = { kind: 'failed', reason: 'handler_failed', retryable: true, retryAfterMs: null } as const;

class MissingHandler extends Error {}
class GarbageAnswer extends Error {}

function describeFailure(error: unknown): Failure {
  if (error instanceof MissingHandler) return { ...plainFailure, reason: 'handler_missing', detail: null };
  if (error instanceof GarbageAnswer) {
    return {
      ...plainFailure,
      detail: `ensureSubscription must return {secrets, expiresAt} or null; wrong: ${error.message}`,
    };
  }
  if (!(error instanceof Error)) return { ...plainFailure, detail: 'threw something that is no Error' };
  // By name, since the adopter's module may have loaded a copy of its own.
  if (error.name !== 'HandlerError') return { ...plainFailure, detail: codeOf(error) ?? nameOf(error) };
  const retryable = Reflect.get(error, 'retryable') !== false;
  const wait: unknown = Reflect.get(error, 'retryAfterMs');
  const retryAfterMs =
    typeof wait === 'number' && Number.isFinite(wait) ? Math.min(Math.max(wait, 0), longestRetryMs) : null;
  const reason = retryable ? 'handler_failed' : 'handler_refused';
  return { ...plainFailure, reason, detail: shown(error.message), retryable, retryAfterMs };
}

function codeOf(error: unknown): string | null {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : null;
}

/** A name is shown only where it looks like a class's: anybody may set it to anything. */
function nameOf({ name }: Error): string {
  return /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? name : 'Error';
}

function shown(text: string): string {
  return text.slice(0, longestDetail);
}
