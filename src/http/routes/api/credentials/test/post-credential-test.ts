import { z } from 'zod';
import { RelinkError } from '../../../../../errors.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { refuseBody } from '../../../../refuse-body.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, userRoute } from '../../../../schemas/request.js';

/** Asks the provider whether the credential is alive, in a workflow: a refusal is repeated before it counts. */
export function postCredentialTest(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/credentials/:id/test',
    schema: {
      ...userRoute,
      operationId: 'testCredential',
      tags: ['Credentials'],
      summary: 'Test a credential at its provider',
      description: 'Asks the provider in the background. The outcome appears as `last_test` of the credential.',
      params: idParams('credential'),
      response: {
        202: z
          .object({
            credential_id: z.string().describe('Id of the credential.'),
            status_url: z.string().describe('The path of the credential, whose `last_test` will tell.'),
          })
          .describe('The test has begun.'),
        ...errorAnswers,
      },
    },
    handler: async (request, reply) => {
      refuseBody(request);
      const credential = await context.store.getCredentialForUser(request.params.id, readUser(request));
      if (credential === null) throw new RelinkError('not_found', request.params.id);
      const { id, provider, generation } = credential;
      await context.workflows.startCredentialTest(
        { credentialId: id, provider, graceMs: context.config.testGraceMs },
        generation,
      );
      return reply.code(202).send({ credential_id: id, status_url: `/api/credentials/${id}` });
    },
  });
}
