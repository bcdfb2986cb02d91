import { z } from 'zod';
import { RelinkError } from '../../../../../errors.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { presentAttempt } from '../../../../present/present-attempt.js';
import { attemptAnswer } from '../../../../schemas/answers.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idSchema, userRoute } from '../../../../schemas/request.js';

/** How an attempt stands; what a 202's `status_url` names. */
export function getAttempt(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/authorize/:attempt',
    schema: {
      ...userRoute,
      tags: ['Connecting'],
      summary: 'See how an attempt to connect stands',
      params: z.strictObject({ attempt: idSchema('session') }),
      response: { 200: attemptAnswer, ...errorAnswers },
    },
    handler: async request => {
      const session = await context.store.getSession(request.params.attempt);
      if (session === null || session.userId !== readUser(request)) throw new RelinkError('attempt_not_found');
      return presentAttempt(session, context.now());
    },
  });
}
