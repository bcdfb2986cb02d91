import type { Gate } from '../domain/delivery.js';
import type { IntegrationId } from '../domain/ids.js';
import type { IntegrationStatus } from '../domain/status.js';

export interface GateCheck {
  readonly gate: Gate;
  /** Null: the integration is gone. */
  readonly status: IntegrationStatus | null;
  /** A subscription is due, or the integration came back and its hook for that has not run. */
  readonly preparationDue: boolean;
}

export interface ProcessResult {
  readonly handled: number;
  readonly failed: number;
  /** Whether it went on until nothing was due (`drained`), its gate closed (`stopped`), or its time was up (`more`). */
  readonly end: 'drained' | 'stopped' | 'more';
  /** Milliseconds until the next queued delivery is due; null when none is queued. */
  readonly nextDueInMs: number | null;
}

export interface WebhookActivities {
  /** Reads the status and decides: the first thing before any work. */
  checkIntegrationStatus(input: { readonly integrationId: IntegrationId }): Promise<GateCheck>;
  /** Ensures the subscription and runs the hook for coming back. Its failures show on the integration and hold up nothing. */
  prepareIntegration(input: { readonly integrationId: IntegrationId }): Promise<{
    readonly subscription: 'ensured' | 'failed' | 'not_due';
    readonly resumed: boolean;
  }>;
  /** Works through what is due, lot by lot, checking the gate before each. */
  processDeliveries(input: { readonly integrationId: IntegrationId }): Promise<ProcessResult>;
  /** Marks what came in while the integration took nothing. */
  discardDeliveries(input: { readonly integrationId: IntegrationId }): Promise<{ readonly discarded: number }>;
}
