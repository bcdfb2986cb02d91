import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { presentEntity } from '../../../present/present-entity.js';
import { presentPage } from '../../../present/present-page.js';
import { entityAnswer } from '../../../schemas/answers.js';
import { listAnswer } from '../../../schemas/list-answer.js';
import { errorAnswers } from '../../../schemas/error.js';
import { listQuery, userRoute } from '../../../schemas/request.js';

export function listEntities(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/entities',
    schema: {
      ...userRoute,
      operationId: 'listEntities',
      tags: ['Entities'],
      summary: 'List the provider accounts that the user connected',
      description: 'Those with a dead credential included.',
      querystring: listQuery,
      response: { 200: listAnswer(entityAnswer).describe('One page of entities.'), ...errorAnswers },
    },
    handler: async request => {
      const { limit, cursor = null } = request.query;
      const page = await context.store.listEntities(readUser(request), { limit, after: cursor });
      return presentPage(page, entity => presentEntity(entity));
    },
  });
}
