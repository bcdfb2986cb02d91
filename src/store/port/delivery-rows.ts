import type { DeliveryReason, DeliveryState } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId, IntegrationType, ProviderId } from '../../domain/ids.js';
import type { IntegrationStatus } from '../../domain/status.js';

export interface NewDelivery {
  readonly id: DeliveryId;
  readonly integrationId: IntegrationId;
  readonly provider: ProviderId;
  /** The provider's delivery id, or a generated key where it has none; unique with the integration. */
  readonly externalId: string;
  /** Headers and raw body, sealed to (integration, external id): see deliveryContentBinding. */
  readonly sealedContent: string;
  readonly receivedAt: Date;
}

/** What became of one insert: a row, none (it is there already), or a finished one that is queued again. */
export interface InsertedDelivery {
  readonly outcome: 'stored' | 'duplicate' | 'queued_again';
  /** Of the row that was written; null for a duplicate. */
  readonly id: DeliveryId | null;
}

export interface Delivery {
  readonly id: DeliveryId;
  readonly integrationId: IntegrationId;
  readonly provider: ProviderId;
  readonly externalId: string;
  readonly state: DeliveryState;
  /** Attempts that ended in a failure, or in a success. */
  readonly attempts: number;
  /** Runs alone that took their process or thread with them: they count as attempts too. */
  readonly crashes: number;
  /** Null: as soon as the gate lets it. Only of a queued one. */
  readonly nextAttemptAt: Date | null;
  /** Why it was discarded, expired or failed, or how the last attempt failed. */
  readonly reason: DeliveryReason | null;
  /** A sentence of the handler's own for people, where it gave one. */
  readonly detail: string | null;
  readonly receivedAt: Date;
  readonly finishedAt: Date | null;
}

/** What a run needs. */
export interface ClaimedDelivery {
  readonly id: DeliveryId;
  readonly externalId: string;
  readonly provider: ProviderId;
  readonly sealedContent: string;
  readonly receivedAt: Date;
  readonly attempts: number;
  readonly crashes: number;
  /** It was in the hands of a run that died: it has to be run alone, and is claimed by itself. */
  readonly suspect: boolean;
}

export interface ClaimRequest {
  readonly integrationId: IntegrationId;
  /** `<run>/<attempt>` of the consumer that asks. */
  readonly claim: string;
  readonly order: 'arrival' | 'none';
  /** 1 to 200. */
  readonly limit: number;
  readonly now: Date;
}

export type DeliveryOutcome =
  | { readonly id: DeliveryId; readonly kind: 'succeeded' }
  | {
      readonly id: DeliveryId;
      readonly kind: 'failed' | 'retry';
      readonly reason: DeliveryReason;
      readonly detail: string | null;
      /** When it is due again; only of `retry`. */
      readonly nextAttemptAt: Date | null;
    }
  /**
   * Its run took the thread with it: queued again, as suspect. No crash more: before a run alone it was noted, and in a
   * shared thread another one may have been the culprit.
   */
  | { readonly id: DeliveryId; readonly kind: 'crashed' }
  /** Back into the queue as if it had not been claimed: not an attempt. */
  | {
      readonly id: DeliveryId;
      readonly kind: 'released';
      /** Whether its handler had begun. */
      readonly ran: boolean;
      /** Why it has to wait, where it is to be told; without it the last one stays. */
      readonly reason?: DeliveryReason;
    };

/** What the gate is decided from, and what wants doing before deliveries run. */
export interface IntegrationGateRow {
  readonly id: IntegrationId;
  readonly type: IntegrationType;
  readonly status: IntegrationStatus;
  readonly statusSince: Date;
  readonly openCauses: number;
  /** See Integration: another one tells that anything of it was written. */
  readonly version: number;
}

/** What a consumer asks before it begins something. */
export interface ConsumerGate {
  /** Null: the integration is gone. */
  readonly row: IntegrationGateRow | null;
  /** Whether the claim that asks is still the integration's consumer. */
  readonly isConsumer: boolean;
}

/** What the intake needs to know of an integration to verify a webhook for it and to know where to wake. */
export interface IntakeTargetRow extends Omit<IntegrationGateRow, 'statusSince' | 'version'> {
  /** Of its entities, one each. */
  readonly providers: readonly ProviderId[];
  /** See Subscription; null also where it has none. */
  readonly sealedSecrets: string | null;
}

export interface QueueRow {
  readonly integrationId: IntegrationId;
  /** Queued or claimed; counted up to `countLimit`. */
  readonly pending: number;
  /** Of the first one in the order of arrival; another intake's clock may have given a later one an earlier time. */
  readonly oldestReceivedAt: Date;
  /** Of the last one in the order of arrival. */
  readonly newestReceivedAt: Date;
}
