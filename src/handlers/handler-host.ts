import type { DeliveryReason } from '../domain/delivery.js';
import type { EnsuredSubscription, InboundDelivery } from '../integrations/definition.js';
import type { HandlerContext, HandlerLog, ProviderRequest, ProviderResponse } from '../integrations/handler-context.js';

/** The data of a HandlerContext; its functions stay on this side. */
export type HandlerFacts = Pick<
  HandlerContext,
  'integrationId' | 'userId' | 'entities' | 'config' | 'webhookUrl' | 'idempotencyKey' | 'attempt'
>;

export type HandlerTask =
  | { readonly kind: 'webhook'; readonly delivery: InboundDelivery }
  | { readonly kind: 'ensure_subscription' }
  /** ISO 8601, UTC. */
  | { readonly kind: 'reconnected'; readonly since: string };

export interface HandlerCall {
  readonly type: string;
  readonly task: HandlerTask;
  readonly facts: HandlerFacts;
  readonly timeoutMs: number;
  /** Nothing else runs in its thread meanwhile, so that a death has one culprit. */
  readonly alone: boolean;
}

/** What a running handler may ask of the service. */
export interface HandlerServices {
  readonly log: HandlerLog;
  request(request: ProviderRequest): Promise<ProviderResponse>;
}

export type HandlerAnswer =
  /** `subscription` only of `ensure_subscription`. */
  | { readonly kind: 'done'; readonly subscription: EnsuredSubscription | null }
  | {
      readonly kind: 'failed';
      readonly reason: DeliveryReason;
      /** For people: the message of a HandlerError; else the name of the error's class, since its message may hold anything. */
      readonly detail: string | null;
      readonly retryable: boolean;
      readonly retryAfterMs: number | null;
    }
  /** Its thread died: out of memory, an exit, or a loop that had to be ended. */
  | { readonly kind: 'crashed'; readonly detail: string | null };

/**
 * Runs the adopter's handlers apart from the service: in threads with bounded memory, each call with bounded time. The
 * service outlives whatever they do.
 */
export interface HandlerHost {
  /** Never rejects, but for `signal`: then with its reason, once the handler has ended or its thread was ended. */
  run(call: HandlerCall, services: HandlerServices, signal: AbortSignal): Promise<HandlerAnswer>;
  close(): Promise<void>;
}
