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
      operationId: 'getAttempt',
      tags: ['Connecting'],
      summary: 'See how an attempt to connect stands',
      description: 'What the `status_url` of a 202 names.',
      params: z.strictObject({ attempt: idSchema('session').describe('Id of the attempt.') }),
      response: { 200: attemptAnswer.describe('The attempt.'), ...errorAnswers },
    },
    handler: async request => {
      const session = await context.store.getSession(request.params.attempt);
      if (session === null || session.userId !== readUser(request)) throw new RelinkError('attempt_not_found');
      return presentAttempt(session, context.now());
    },
  });
}
