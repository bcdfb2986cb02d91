import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** Counters for operators, in a registry of this service's own. No label ever holds an id. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'relink_' });
  return {
    registry,
    webhooks: new Counter({
      name: 'relink_webhooks_total',
      help: 'Webhooks by provider and by what became of them: accepted, duplicate, queued_again, discarded (beside accepted, where the integration was paused between the look and the commit), handshake, unknown_account, or why they were refused; account_cut_short: it was for more integrations than it reached; handshake_ignored: its secret was not kept.',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    ended: new Counter({
      name: 'relink_deliveries_ended_total',
      help: 'Deliveries that this process ended unhandled: those discarded by hand. Workers count theirs under the same name.',
      labelNames: ['state', 'reason'],
      registers,
    }),
    wakes: new Counter({
      name: 'relink_wakes_total',
      help: 'Wakes of consumers of deliveries: sent, spared because the consumer was looking anyway, or failed.',
      labelNames: ['outcome'],
      registers,
    }),
    commitRows: new Histogram({
      name: 'relink_webhook_commit_rows',
      help: 'How many deliveries shared a commit.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
