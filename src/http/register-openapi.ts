import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
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
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: document => dropUnused(jsonSchemaTransformObject(document)),
  });
  app.route({
    method: 'GET',
    url: '/api/openapi.json',
    schema: { hide: true },
    handler: () => app.swagger(),
  });
}

/** The library lists each named schema a second time as it would be in a request; ours name answers only. */
function dropUnused(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  if (!('components' in document)) return document;
  const { schemas = {}, ...rest } = document.components ?? {};
  const used = Object.entries(schemas).filter(([name]) => !name.endsWith('Input'));
  return { ...document, components: { ...rest, schemas: Object.fromEntries(used) } } as typeof document;
}
