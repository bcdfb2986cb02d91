import { z } from 'zod';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { createAttempt } from '../../../operations/create-attempt.js';
import { publicAddress } from '../../../public-address.js';
import { errorAnswers } from '../../../schemas/error.js';
import { entityTypeField, idSchema, userRoute } from '../../../schemas/request.js';

/** Begins an attempt to connect. */
export function getAuthorize(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/authorize',
    schema: {
      ...userRoute,
      operationId: 'beginAttempt',
      tags: ['Connecting'],
      summary: 'Begin to connect an account, or to reconnect one',
      description: 'Makes an attempt, which can be used once and within 15 minutes.',
      querystring: z.strictObject({
        entityType: entityTypeField,
        returnUrl: z.string().min(1).max(4096).optional().describe('Where the browser goes at the end; allow-listed.'),
        redirectUri: z
          .string()
          .min(1)
          .max(4096)
          .optional()
          .describe(
            "The product's own callback page, which then delivers the code to POST /api/authorize; allow-listed.",
          ),
        entityId: idSchema('entity').optional().describe('Reconnect this entity; another account is refused.'),
      }),
      response: {
        200: z
          .object({
            attempt: z.string().describe('Id of the attempt.'),
            url: z.string().describe("Open this in the user's browser: the start page."),
          })
          .describe('The attempt.'),
        ...errorAnswers,
      },
    },
    handler: async request => {
      const { entityType, ...rest } = request.query;
      const session = await createAttempt(context, { userId: readUser(request), providerId: entityType, ...rest });
      return { attempt: session.id, url: publicAddress(context.config, `/connect/${session.id}`) };
    },
  });
}
