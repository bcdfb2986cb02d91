import { setTimeout as sleep } from 'node:timers/promises';
import type { Gate } from '../../domain/delivery.js';
import type { IntegrationId, ProviderId } from '../../domain/ids.js';
import { newId } from '../../ids.js';
import { encodeContent } from '../../integrations/delivery-content.js';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import { warnOfUndefined } from '../../integrations/warn-of-undefined.js';
import type { Log } from '../../log.js';
import type { InsertedDelivery, Store } from '../../store/port/store.js';
import type { WorkflowStarter } from '../../temporal/workflow-starter.js';
import { deliveryContentBinding } from '../../vault/bindings.js';
import type { Vault } from '../../vault/vault.js';
import { AfterCommit } from './after-commit.js';
import { GroupCommit } from './group-commit.js';
import { GroupedReads } from './grouped-reads.js';
import type { Metrics } from './metrics.js';
import { Room } from './room.js';
import { mostPerAccount, Targets } from './targets.js';
import { Waker } from './waker.js';

export interface Arrival {
  readonly integrationId: IntegrationId;
  /** The gate as the intake last knew it. */
  readonly gate: Gate;
  readonly provider: ProviderId;
  readonly externalId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type AcceptedOutcome = InsertedDelivery['outcome'] | 'discarded';

export interface IntakeDependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly integrations: IntegrationCatalogue;
  readonly workflows: WorkflowStarter;
  readonly log: Log;
  /** The clock of rows; the system's unless given. */
  readonly now?: () => Date;
}

export interface Intake {
  /**
   * Call it before a webhook is looked into, with the size of its body, and what it returns when it is answered.
   *
   * @throws RelinkError `database_unavailable` while too many wait for the database.
   */
  enter(bytes: number): () => void;
  readonly targets: Targets;
  readonly waker: Waker;
  /**
   * Seals and stores; resolves after the commit, when a 2xx may be given.
   *
   * @throws RelinkError `database_unavailable`: nobody may count on its having been accepted.
   */
  accept(arrival: Arrival): Promise<AcceptedOutcome>;
  /** Looks at what was stored last, and sends the wakes that wait, for so many milliseconds at most. */
  close(withinMs: number): Promise<void>;
}

/** Webhooks that are being looked into, stored or settled, and their bodies. */
const mostWebhooks = { count: 5_000, bytes: 32 * 1_048_576 };

/** Integrations in one question for their consumers, by the store's bound. */
const mostLookedAfter = 500;

/** Twice as long as a consumer works before it reports; one that is at it for longer is woken in vain. */
const consumerWorksForMs = 120_000;

/**
 * The durable part of taking webhooks in. What a gate that was open a moment ago says is enough to wake; anything else
 * is read again after the commit, on the primary, so that no delivery falls between a release and a store: either the
 * release's wake sees the row, or this look sees the release. Only what may have to be discarded waits for its look.
 */
export function createIntake(dependencies: IntakeDependencies, metrics: Metrics): Intake {
  const { store, vault, integrations, workflows, log, now = () => new Date() } = dependencies;
  const commits = new GroupCommit(store, rows => metrics.commitRows.observe(rows));
  const lookedAfter = new GroupedReads<IntegrationId, true>(async ids => {
    const found = await store.findLookedAfter(ids, new Date(now().getTime() - consumerWorksForMs));
    return new Map(found.map(id => [id, true]));
  }, mostLookedAfter);
  const waker = new Waker(
    workflows,
    log,
    outcome => metrics.wakes.inc({ outcome }),
    // A database that does not answer spares no wake.
    id =>
      lookedAfter.read(id).then(
        found => found === true,
        () => false,
      ),
  );
  const onDiscarded = (provider: ProviderId) => metrics.webhooks.inc({ provider, outcome: 'discarded' });
  const afterCommit = new AfterCommit({ store, integrations, waker, now, onDiscarded });

  const room = new Room(mostWebhooks);
  return {
    enter: bytes => room.enter(bytes),
    targets: new Targets(store, vault, integrations, warnOfUndefined(integrations, log), noteCuts(metrics, log)),
    waker,
    async accept({ integrationId, gate, provider, externalId, headers, body }) {
      const content = encodeContent(headers, body);
      const sealedContent = vault.sealBytes(content, deliveryContentBinding(integrationId, externalId));
      const receivedAt = now();
      const stored = await commits.add({
        id: newId('delivery'),
        integrationId,
        provider,
        externalId,
        sealedContent,
        receivedAt,
      });
      const { outcome } = stored;
      if (stored.id === null) return outcome;
      if (gate === 'process') {
        waker.wake(integrationId);
        return outcome;
      }
      if (gate === 'hold') {
        afterCommit.settleSoon(integrationId, { id: stored.id, provider, receivedAt });
        return outcome;
      }
      return (await afterCommit.settle(integrationId, stored.id)) === 'discarded' ? 'discarded' : outcome;
    },
    async close(withinMs) {
      const until = Date.now() + withinMs;
      await Promise.race([afterCommit.close(), sleep(withinMs, undefined, { ref: false })]);
      await waker.close(until - Date.now());
    },
  };
}

/** Of so many accounts it is told. */
const mostTold = 1_000;

/** Counted each time, and told once for each account: nobody hears by itself that it gets no webhooks. */
function noteCuts(metrics: Metrics, log: Log): (provider: ProviderId, oldest: IntegrationId) => void {
  const told = new Set<IntegrationId>();
  return (provider, oldest) => {
    metrics.webhooks.inc({ provider, outcome: 'account_cut_short' });
    if (told.has(oldest) || told.size >= mostTold) return;
    told.add(oldest);
    log.warn(
      { provider, integrationId: oldest },
      `More than ${mostPerAccount} integrations are on the ${provider} account of ${oldest}: webhooks to the provider's one address reach the oldest ${mostPerAccount} of them`,
    );
  };
}
