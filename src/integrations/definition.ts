import type { z } from 'zod';
import type { WhileInError } from '../domain/delivery.js';
import type { HandlerContext } from './handler-context.js';

/** One inbound webhook as its handler sees it. */
export interface InboundDelivery {
  readonly id: string;
  readonly provider: string;
  /** The provider's own id of the delivery; a generated key where it has none. */
  readonly externalId: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** The few headers a handler may need, names in lower case; never a signature, a cookie or an authorization. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw bytes as they came, or the one event of a batch as JSON; parsing is the handler's. A Buffer. */
  readonly body: Uint8Array;
}

/** How a type's deliveries are worked through. */
export interface WebhookPolicy {
  /** What happens to deliveries while the integration is in ERROR. Default: `hold`. */
  readonly whileInError: WhileInError;
  /**
   * `arrival`: one after the other; a failing delivery keeps those behind it waiting until it succeeded or is FAILED.
   * `none`: others overtake it, up to `concurrency` at once. Default: `arrival`.
   */
  readonly order: 'arrival' | 'none';
  /** 1 to 50; only with `order: 'none'`. Default: 5. */
  readonly concurrency: number;
  /** 1 to 50. Default: 16, spread over about 10 hours: a receiver may be away for a night. */
  readonly maxAttempts: number;
  /** How long one attempt may take. Milliseconds, 100 to 300,000. Default: 60,000. */
  readonly timeoutMs: number;
}

export const defaultWebhookPolicy: WebhookPolicy = {
  whileInError: 'hold',
  order: 'arrival',
  concurrency: 5,
  maxAttempts: 16,
  timeoutMs: 60_000,
};

/** What `ensureSubscription` brings: the secret the provider signs this webhook with, and until when it holds. */
export interface EnsuredSubscription {
  /**
   * Newest first; the one before stays while the provider may still sign with it. Empty: those known so far stay, as when
   * a handshake brought them; without any the provider's configured ones count.
   */
  readonly secrets: readonly string[];
  /** When the provider drops the subscription; null: never. It is ensured again ahead of it. */
  readonly expiresAt: Date | null;
}

/**
 * What one type of integration is. `providers` are the provider names whose entities it runs on; `config` says which
 * settings it needs: an integration whose config does not satisfy it is NEEDS_CONFIG.
 *
 * The handlers run apart from the service, in a thread of their own with bounded memory and time.
 */
export interface IntegrationDefinition {
  readonly type: string;
  readonly name: string;
  readonly providers: readonly string[] | 'any';
  readonly config: z.ZodObject;
  readonly webhooks?: Partial<WebhookPolicy>;
  /** Does the work of one webhook. May run again for the same delivery, with the same idempotency key. */
  readonly onWebhook?: (delivery: InboundDelivery, context: HandlerContext) => Promise<void> | void;
  /** Makes sure that the provider sends webhooks to `context.webhookUrl`. Idempotent. Null: nothing to keep. */
  readonly ensureSubscription?: (context: HandlerContext) => Promise<EnsuredSubscription | null>;
  /** Fetches what the provider itself dropped while the integration was cut off. Idempotent. */
  readonly onReconnected?: (context: HandlerContext, outage: { readonly since: Date }) => Promise<void>;
}

export function defineIntegration(definition: IntegrationDefinition): IntegrationDefinition {
  return definition;
}

/** Whether there is a handler to run. */
export function takesWebhooks(definition: IntegrationDefinition | null): boolean {
  return definition?.onWebhook !== undefined;
}

export function webhookPolicyOf(definition: IntegrationDefinition | null): WebhookPolicy {
  return { ...defaultWebhookPolicy, ...definition?.webhooks };
}
