import { z } from 'zod';
import { RelinkError } from '../../../../../errors.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { presentPage } from '../../../../present/present-page.js';
import { listAnswer } from '../../../../schemas/list-answer.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, listQuery, userRoute } from '../../../../schemas/request.js';

const tokenReadAnswer = z
  .object({
    api_key: z.string().describe('The name of the API key that it was handed to.'),
    generation: z.number().int().describe('Which token of the credential it was.'),
    request_id: z.string().describe('The request, as the log names it.'),
    read_at: z.string().describe('When. ISO 8601, UTC.'),
  })
  .meta({ id: 'TokenRead', description: 'One token that was handed out.' });

export function listTokenReads(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/credentials/:id/token-reads',
    schema: {
      ...userRoute,
      operationId: 'listTokenReads',
      tags: ['Credentials'],
      summary: 'See who was handed its tokens, and when',
      description: 'Kept for `RELINK_TOKEN_READ_RETENTION_DAYS`.',
      params: idParams('credential'),
      querystring: listQuery,
      response: { 200: listAnswer(tokenReadAnswer).describe('One page of them.'), ...errorAnswers },
    },
    handler: async request => {
      const { limit, cursor = null } = request.query;
      const credential = await context.store.getCredentialForUser(request.params.id, readUser(request));
      if (credential === null) throw new RelinkError('not_found', request.params.id);
      const page = await context.store.listTokenReads(credential.id, { limit, after: cursor });
      return presentPage(page, read => ({
        api_key: read.apiKey,
        generation: read.generation,
        request_id: read.requestId,
        read_at: read.readAt.toISOString(),
      }));
    },
  });
}
