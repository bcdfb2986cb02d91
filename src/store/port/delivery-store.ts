import type { DeliveryReason, DeliveryState } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import type {
  ClaimRequest,
  ClaimedDelivery,
  ConsumerGate,
  Delivery,
  DeliveryOutcome,
  InsertedDelivery,
  IntakeTargetRow,
  IntegrationGateRow,
  NewDelivery,
  QueueRow,
} from './delivery-rows.js';
import type { Page, PageRequest } from './page.js';

/**
 * Deliveries, and per integration the one consumer that may claim them.
 *
 * Races: a delivery is claimed only for the integration's current consumer, and finished only by the claim that holds
 * it. A consumer that was replaced (its worker stalled, Temporal gave the work to another one) claims nothing more and
 * finishes nothing more; each of these calls tells it so by its result.
 */
export interface DeliveryStore {
  /**
   * Stores many in one statement, committed when it resolves; answers in the order given. Of two with one key in one
   * call the second is a duplicate. A failed, discarded or expired row of the same key is queued again with its new
   * content, attempts from zero.
   */
  insertDeliveries(deliveries: readonly NewDelivery[]): Promise<readonly InsertedDelivery[]>;
  /** Reads the primary; integrations that are gone are left out. At most 500 ids. */
  readIntegrationGates(ids: readonly IntegrationId[]): Promise<readonly IntegrationGateRow[]>;
  /** Reads the primary, in one round: its answer says that nothing more may begin also where `claim` was replaced. */
  readConsumerGate(integrationId: IntegrationId, claim: string): Promise<ConsumerGate>;
  /** In one statement; integrations that are gone are left out. At most 500 ids. */
  readIntakeTargets(ids: readonly IntegrationId[]): Promise<readonly IntakeTargetRow[]>;
  /** Whether anything is queued or claimed: a claim may be that of a dead consumer. */
  hasPendingDeliveries(integrationId: IntegrationId): Promise<boolean>;
  /**
   * Which of these integrations have a delivery that is due: what lingering consumers ask, all of them at once. Of those
   * that are also named in `byArrival` only the first delivery counts: what waits behind it is not due.
   */
  findDueIntegrations(
    ids: readonly IntegrationId[],
    now: Date,
    byArrival?: readonly IntegrationId[],
  ): Promise<readonly IntegrationId[]>;

  /**
   * Makes `claim` the integration's consumer and marks what earlier ones left claimed as suspect and queued.
   *
   * @param since When the work that asks was handed out, by one clock for all of them. An older one than the consumer's
   * own was given up on meanwhile: it changes nothing.
   * @returns False: a newer one is the consumer.
   */
  becomeConsumer(integrationId: IntegrationId, claim: string, since: Date): Promise<boolean>;
  /**
   * Says whether the consumer looks for deliveries at least once more; one that has just become it does. Clear it before
   * the last look: then that look sees every row whose writer read, after its commit, that it was set. No-op when `claim`
   * is no longer the consumer. Without a claim it is said of whoever is the consumer: clearing too much costs a wake.
   */
  noteLooking(integrationId: IntegrationId, claim: string | null, isLooking: boolean): Promise<void>;
  /**
   * Which of these have a consumer that looks at least once more, and was handed its work out after `since`: one that was
   * ended from outside says for ever that it looks. At most 500 ids.
   */
  findLookedAfter(ids: readonly IntegrationId[], since: Date): Promise<readonly IntegrationId[]>;
  /**
   * Claims the next lot, in arrival order, up to about 8 MB of content. Order `arrival` stops before the first delivery that is not due yet; a
   * suspect one is claimed alone, so that a lot is either one suspect or any number of others.
   * Null: `claim` is no longer the consumer.
   */
  claimDeliveries(request: ClaimRequest): Promise<readonly ClaimedDelivery[] | null>;
  /** Notes, before a suspect is run alone, that this run is a crash unless it ends otherwise. False: the claim is lost. */
  noteCrash(integrationId: IntegrationId, id: DeliveryId, claim: string): Promise<boolean>;
  /** Ends claims, each on its own condition; returns the ids whose claim had been lost. */
  finishDeliveries(
    integrationId: IntegrationId,
    claim: string,
    outcomes: readonly DeliveryOutcome[],
    now: Date,
  ): Promise<readonly DeliveryId[]>;
  /** When the next queued delivery is due: null when none is queued. By `arrival`, that of the first one. */
  findNextDue(integrationId: IntegrationId, order: 'arrival' | 'none'): Promise<{ readonly at: Date | null } | null>;

  /**
   * Marks queued, unclaimed deliveries as discarded: those named, or the oldest, at most
   * `limit`. Returns how many.
   */
  discardDeliveries(
    integrationId: IntegrationId,
    which: { readonly ids: readonly DeliveryId[] } | { readonly limit: number },
    reason: DeliveryReason,
    now: Date,
  ): Promise<number>;
  /** Expires queued ones received before `before`, and the oldest beyond the newest `keep`; at most `limit` of each. */
  expireDeliveries(
    integrationId: IntegrationId,
    bounds: { readonly before: Date; readonly keep: number; readonly limit: number },
    now: Date,
  ): Promise<{ readonly tooLong: number; readonly tooMany: number }>;
  /** Queues failed, discarded or expired ones again, attempts from zero: one by id, or those of a state. Returns how many. */
  replayDeliveries(
    integrationId: IntegrationId,
    which: { readonly id: DeliveryId } | { readonly state: 'failed' | 'discarded' | 'expired'; readonly limit: number },
  ): Promise<number>;

  getDelivery(integrationId: IntegrationId, id: DeliveryId): Promise<Delivery | null>;
  /** In arrival order by id. */
  listDeliveries(
    integrationId: IntegrationId,
    filter: { readonly state?: DeliveryState },
    page: PageRequest,
  ): Promise<Page<Delivery>>;
  /** Null when nothing is queued or claimed. */
  readQueue(integrationId: IntegrationId, countLimit: number): Promise<QueueRow | null>;
  /** Every integration with something queued or claimed, in the order of their ids; gone ones too. */
  listQueues(page: PageRequest, countLimit: number): Promise<Page<QueueRow>>;
  /** Deletes finished ones of before `before`; returns how many. */
  deleteFinishedDeliveries(before: Date, limit: number): Promise<number>;
  /**
   * Deletes consumers that became it before `before`, which must be longer ago than any of them can still be at work;
   * returns how many. One that is deleted claims and finishes nothing more, as if it had been replaced.
   */
  deleteStaleConsumers(before: Date, limit: number): Promise<number>;
}
