import type { MetricMeter } from '@temporalio/common';
import type { DeliveryReason } from '../domain/delivery.js';

export type CountEnded = (
  state: 'discarded' | 'expired' | 'failed',
  reason: DeliveryReason,
  /** One unless told. */
  count?: number,
) => void;

/** Counts deliveries that ended without having been handled, for operators. No label ever holds an id. */
export function countEnded(meter: MetricMeter): CountEnded {
  const counter = meter.createCounter(
    'relink_deliveries_ended_total',
    'deliveries',
    'Deliveries that the worker ended unhandled, by state and reason.',
  );
  return (state, reason, count = 1) => {
    if (count > 0) counter.add(count, { state, reason });
  };
}
