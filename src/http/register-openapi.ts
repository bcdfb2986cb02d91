import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App, HttpContext } from './dependencies.js';
import { publicAddress } from './public-address.js';
import { version } from './version.js';

/** The OpenAPI 3.1 document, made from the schemas that validate: it cannot say anything else than the routes do. */
export async function registerOpenApi(app: App, { config }: HttpContext): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Relink',
        version,
        description: 'Keeps third-party connections alive. Every error answer has a code, listed in docs/errors.md.',
      },
      servers: [{ url: publicAddress(config, '/').replace(/\/$/, '') }],
      tags: [
        { name: 'Connecting', description: 'Attempts to connect or reconnect an account. See docs/connecting.md.' },
        {
          name: 'Browser',
          description: "What the user's browser opens. No API key; a cookie binds the attempt to it.",
        },
        { name: 'Credentials', description: 'Grants of providers: whether they are alive, their test, their tokens.' },
        { name: 'Entities', description: 'Connected accounts.' },
        { name: 'Integrations', description: 'What works with connected accounts. See docs/integrations.md.' },
        { name: 'Receiving', description: 'What providers call. No API key: their signature is the proof.' },
        { name: 'Webhooks', description: "Each integration's deliveries. See docs/webhooks.md." },
        { name: 'Operating', description: 'For whoever runs the service. The API key without a user.' },
        { name: 'Service', description: 'The service itself. No API key.' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of RELINK_API_KEYS, sent by the back end only.',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: document => dropUnused(jsonSchemaTransformObject(document)),
  });
  app.route({
    method: 'GET',
    url: '/api/openapi.json',
    schema: {
      operationId: 'getOpenApi',
      tags: ['Service'],
      summary: 'This document',
      description: 'Made from the schemas that validate requests and answers.',
      response: { 200: z.looseObject({}).describe('An OpenAPI 3.1 document.') },
    },
    handler: () => ({ ...app.swagger() }),
  });
}

/** The library lists each named schema a second time as it would be in a request; ours name answers only. */
function dropUnused(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  if (!('components' in document)) return document;
  const { schemas = {}, ...rest } = document.components ?? {};
  const used = Object.entries(schemas).filter(([name]) => !name.endsWith('Input'));
  return { ...document, components: { ...rest, schemas: Object.fromEntries(used) } } as typeof document;
}
