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
      description:
        'Asks the provider in the background; a token that is refused or has ended is refreshed first, where it can be. The outcome appears as `last_test` of the credential. One that works is healed at once, with its integrations. 409 for a credential that was deleted.',
      params: idParams('credential'),
      response: {
        202: z
          .object({
            credential_id: z.string().describe('Id of the credential.'),
            last_test_at: z
              .string()
              .nullable()
              .describe(
                'When the test before this one ended, ISO 8601, UTC; null when there was none. This one has ended once `last_test.at` of the credential differs.',
              ),
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
      // It holds no token any more: there is nothing to ask about.
      if (credential.verdict?.code === 'credential_deleted')
        throw new RelinkError('credential_dead', 'credential_deleted');
      const { id, provider, generation, lastTest } = credential;
      await context.workflows.startCredentialTest(
        { credentialId: id, provider, graceMs: context.config.testGraceMs },
        generation,
      );
      return reply.code(202).send({
        credential_id: id,
        last_test_at: lastTest?.at.toISOString() ?? null,
        status_url: `/api/credentials/${id}`,
      });
    },
  });
}
