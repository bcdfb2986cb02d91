import type { DeliveryReason } from '../domain/delivery.js';
import type { EnsuredSubscription, InboundDelivery } from '../integrations/definition.js';
import type { HandlerClock } from './handler-clock.js';
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
  /** `clock`: of the handler that asks. */
  request(request: ProviderRequest, clock?: HandlerClock): Promise<ProviderResponse>;
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

/** Calls of one integration's handler that run one after the other. */
export interface HandlerTurn {
  /** All of one type; at least one. */
  readonly calls: readonly HandlerCall[];
  /** Called for each that has ended, in order, while the next ones run. */
  readonly onAnswer: (index: number, answer: HandlerAnswer) => void;
  /**
   * Awaited before the first one begins, once nothing is left to wait for: its place, a thread, and the adopter's module
   * in there. Says until when (Date.now) further ones may begin, or null: then not even the first one does. What it
   * throws ends the turn. Asked once more when the thread died meanwhile.
   */
  readonly onBegin: () => Promise<number | null>;
}

/**
 * Runs the adopter's handlers apart from the service: in threads with bounded memory, each call with bounded time. The
 * service outlives whatever they do.
 */
export interface HandlerHost {
  /** Whether calls of this type run nothing of the adopter's: a process that died meanwhile did not die of them. */
  isBuiltIn(type: string): boolean;
  /** Rejects only for `signal`: with its reason, once the handler has ended without success or its thread was ended. */
  run(call: HandlerCall, services: HandlerServices, signal: AbortSignal): Promise<HandlerAnswer>;
  /**
   * Runs calls in one thread without a word between them, so that quick handlers do not wait for the service. Ends
   * after the first that is not done. Resolves with how many have ended; those behind them were not begun, also when
   * `signal` came or the thread died. Rejects with what `onBegin` threw, or for `signal` when none has ended.
   */
  runInTurn(turn: HandlerTurn, services: HandlerServices, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
