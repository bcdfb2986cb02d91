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
      help: 'Webhooks by provider and by what became of them: accepted, duplicate, discarded, or why they were refused; account_cut_short: it was for more integrations than it reached; handshake_ignored: its secret was not kept.',
      labelNames: ['provider', 'outcome'],
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
