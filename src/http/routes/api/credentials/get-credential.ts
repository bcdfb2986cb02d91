import { RelinkError } from '../../../../errors.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { presentCredential } from '../../../present/present-credential.js';
import { credentialAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idParams, userRoute } from '../../../schemas/request.js';

export function getCredential(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/credentials/:id',
    schema: {
      ...userRoute,
      operationId: 'getCredential',
      tags: ['Credentials'],
      summary: 'See one credential, without its tokens',
      description: 'Whether it is alive, why not, and what its latest test brought.',
      params: idParams('credential'),
      response: { 200: credentialAnswer.describe('The credential.'), ...errorAnswers },
    },
    handler: async request => {
      const credential = await context.store.getCredentialForUser(request.params.id, readUser(request));
      if (credential === null) throw new RelinkError('not_found', request.params.id);
      return presentCredential(credential);
    },
  });
}
