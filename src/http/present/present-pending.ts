import type { z } from 'zod';
import type { Session } from '../../store/port/store.js';
import type { pendingAnswer } from '../schemas/answers.js';

/** The 202 of both callbacks: the deadline came before the outcome. */
export function presentPending({ id }: Session): z.output<typeof pendingAnswer> {
  return { attempt: id, status: 'pending', status_url: `/api/authorize/${id}` };
}
