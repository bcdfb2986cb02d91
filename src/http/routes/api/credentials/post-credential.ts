import { z } from 'zod';
import { RelinkError } from '../../../../errors.js';
import { Secret } from '../../../../vault/secret.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { submitKey } from '../../../operations/submit-key.js';
import { presentConnection } from '../../../present/present-connection.js';
import { presentPending } from '../../../present/present-pending.js';
import { connectionAnswer, pendingAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { entityTypeField, idSchema, userRoute } from '../../../schemas/request.js';

/** What can be sent in a header or by HTTP Basic: no control characters, and for keys no blanks either. */
const keyText = z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be 1 to 8192 visible ASCII characters');
const noControl = /^[^\x00-\x1f\x7f]*$/;
const plainText = z.string().max(1024).regex(noControl, 'must not hold control characters');
const secret = (value: string) => new Secret(value);

const common = {
  entityType: entityTypeField,
  entityId: idSchema('entity')
    .optional()
    .describe('Replace the credential of this entity; another account is refused.'),
};

const apiKeyBody = z.strictObject({
  ...common,
  kind: z.literal('api_key').describe('An API key or personal token.'),
  fields: z.strictObject({ apiKey: keyText.transform(secret).describe('The key.') }).describe('The secret.'),
});

const basicBody = z.strictObject({
  ...common,
  kind: z.literal('basic').describe('User name and password, for HTTP Basic.'),
  fields: z
    .strictObject({
      username: plainText
        .refine(name => name !== '' && !name.includes(':'), 'must not be empty or hold a colon')
        .describe('The user name.'),
      password: plainText.transform(secret).describe('The password; may be empty where the provider wants that.'),
    })
    .describe('The secret.'),
});

const clientBody = z.strictObject({
  ...common,
  kind: z.literal('client_credentials').describe("A client of the user's own at the provider, which mints tokens."),
  fields: z
    .strictObject({
      clientId: keyText.describe("The client's id."),
      clientSecret: keyText.transform(secret).describe("The client's secret."),
    })
    .describe('The secret.'),
});

/** Connects an account by something its user copied from the provider's settings. */
export function postCredential(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/credentials',
    schema: {
      ...userRoute,
      operationId: 'submitCredential',
      tags: ['Credentials'],
      summary: 'Connect an account by an API key, a password or a client, or replace one',
      description:
        'It is proven at the provider before it is stored; a dead one that it replaces comes back to life with its integrations. The same answer as a callback.',
      body: z
        .discriminatedUnion('kind', [apiKeyBody, basicBody, clientBody])
        .describe('Which account, and the secret.'),
      response: {
        200: connectionAnswer.describe('Connected: credential and entity are stored.'),
        202: pendingAnswer.describe('Not connected before the deadline; the work goes on by itself.'),
        ...errorAnswers,
      },
    },
    handler: async (request, reply) => {
      const { entityType, entityId, ...rest } = request.body;
      const { session, answer } = await submitKey(context, {
        userId: readUser(request),
        providerId: entityType,
        entityId,
        // One by one: only so does each kind keep its own fields.
        fields: readFields(rest),
      });
      switch (answer.kind) {
        case 'connected':
          return reply.code(200).send(presentConnection(session, answer));
        case 'pending':
          return reply.code(202).send(presentPending(session));
        case 'failed':
          throw new RelinkError(answer.code);
      }
    },
  });
}

type Body = z.output<typeof apiKeyBody> | z.output<typeof basicBody> | z.output<typeof clientBody>;
type WithoutPlace<Kind> = Kind extends Body ? Omit<Kind, 'entityType' | 'entityId'> : never;

function readFields(body: WithoutPlace<Body>) {
  switch (body.kind) {
    case 'api_key':
      return { kind: body.kind, ...body.fields };
    case 'basic':
      return { kind: body.kind, ...body.fields };
    case 'client_credentials':
      return { kind: body.kind, ...body.fields };
  }
}
