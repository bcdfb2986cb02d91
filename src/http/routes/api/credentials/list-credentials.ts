import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { presentCredential } from '../../../present/present-credential.js';
import { presentPage } from '../../../present/present-page.js';
import { credentialAnswer } from '../../../schemas/answers.js';
import { listAnswer } from '../../../schemas/list-answer.js';
import { errorAnswers } from '../../../schemas/error.js';
import { listQuery, userRoute } from '../../../schemas/request.js';

export function listCredentials(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/credentials',
    schema: {
      ...userRoute,
      operationId: 'listCredentials',
      tags: ['Credentials'],
      summary: "List the user's credentials",
      description: 'Dead ones included.',
      querystring: listQuery,
      response: { 200: listAnswer(credentialAnswer).describe('One page of credentials.'), ...errorAnswers },
    },
    handler: async request => {
      const { limit, cursor = null } = request.query;
      const page = await context.store.listCredentials(readUser(request), { limit, after: cursor });
      return presentPage(page, presentCredential);
    },
  });
}
