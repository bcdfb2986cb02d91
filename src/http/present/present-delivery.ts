import type { z } from 'zod';
import type { Gate } from '../../domain/delivery.js';
import type { Delivery } from '../../store/port/store.js';
import type { deliveryAnswer } from '../schemas/delivery-answers.js';

export function presentDelivery(delivery: Delivery, gate: Gate): z.output<typeof deliveryAnswer> {
  const { reason, detail } = delivery;
  return {
    id: delivery.id,
    external_id: delivery.externalId,
    provider: delivery.provider,
    state: delivery.state,
    held: delivery.state === 'queued' && gate !== 'process',
    attempts: delivery.attempts + delivery.crashes,
    outcome: reason === null ? null : { reason, detail },
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    received_at: delivery.receivedAt.toISOString(),
    finished_at: delivery.finishedAt?.toISOString() ?? null,
  };
}
