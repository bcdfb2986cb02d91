import { RelinkError } from '../../../../errors.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { presentEntity } from '../../../present/present-entity.js';
import { entityAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idParams, userRoute } from '../../../schemas/request.js';

export function getEntity(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/entities/:id',
    schema: {
      ...userRoute,
      operationId: 'getEntity',
      tags: ['Entities'],
      summary: 'See one connected account, and whether its credential is alive',
      description: 'An entity keeps its id when its account is reconnected.',
      params: idParams('entity'),
      response: { 200: entityAnswer.describe('The entity.'), ...errorAnswers },
    },
    handler: async request => {
      const userId = readUser(request);
      const entity = await context.store.getEntityForUser(request.params.id, userId);
      if (entity === null) throw new RelinkError('not_found', request.params.id);
      return presentEntity(entity, await context.store.getCredentialForUser(entity.credentialId, userId));
    },
  });
}
