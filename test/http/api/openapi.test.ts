import { causeCodes } from '../../../src/domain/cause.js';
import { credentialTestOutcomes } from '../../../src/domain/credential-test.js';
import { integrationStatuses } from '../../../src/domain/status.js';
import { errorRegistry } from '../../../src/errors.js';
import { startApi, type Api } from './start-api.js';

interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}
interface Described {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}
interface Operation extends Described {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: unknown;
  readonly parameters?: readonly (Described & { readonly name: string; readonly schema: Schema })[];
  readonly requestBody?: Described;
  readonly responses: Readonly<Record<string, Described & { readonly headers?: Record<string, Described> }>>;
}
interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let api: Api;
let text: string;
let document: Document;
let operations: [string, Operation][];
beforeAll(async () => {
  api = await startApi();
  const answer = await api.app.inject('/api/openapi.json');
  expect(answer.statusCode).toBe(200);
  text = answer.body;
  document = answer.json();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => api.close());

test('it lists every route', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations.map(([name]) => name).sort()).toEqual([
    'DELETE /api/credentials/{id}',
    'DELETE /api/integrations/{id}',
    'GET /api/authorize',
    'GET /api/authorize/{attempt}',
    'GET /api/credentials',
    'GET /api/credentials/{id}',
    'GET /api/credentials/{id}/token',
    'GET /api/credentials/{id}/token-reads',
    'GET /api/entities',
    'GET /api/entities/{id}',
    'GET /api/integrations',
    'GET /api/integrations/{id}',
    'GET /api/integrations/{id}/deliveries',
    'GET /api/integrations/{id}/deliveries/{deliveryId}',
    'GET /api/oauth/callback/{provider}',
    'GET /api/openapi.json',
    'GET /api/webhooks/{provider}',
    'GET /api/webhooks/{provider}/{integrationId}',
    'GET /connect/{attempt}',
    'GET /health',
    'GET /metrics',
    'PATCH /api/integrations/{id}',
    'POST /api/authorize',
    'POST /api/credentials',
    'POST /api/credentials/{id}/test',
    'POST /api/integrations',
    'POST /api/integrations/{id}/deliveries/discard',
    'POST /api/integrations/{id}/deliveries/replay',
    'POST /api/integrations/{id}/deliveries/{deliveryId}/replay',
    'POST /api/webhooks/{provider}',
    'POST /api/webhooks/{provider}/{integrationId}',
    'POST /connect/{attempt}',
  ]);
  expect(document.paths['/api/authorize']?.['post']?.security).toEqual([{ apiKey: [] }]);
});

test('every operation, parameter, body, answer and field has a description of its own', () => {
  const bare: string[] = [];
  const check = (place: string, description: string | undefined): void => {
    if (!description || description === 'Default Response') bare.push(place);
  };
  const checkFields = (place: string, schema: Schema): void => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const named = document.components.schemas[field.$ref?.split('/').at(-1) ?? ''];
      check(`${place}.${name}`, field.description ?? named?.description);
      checkFields(`${place}.${name}`, field);
    }
    if (schema.items) checkFields(`${place}[]`, schema.items);
    for (const choice of schema.anyOf ?? []) checkFields(place, choice);
  };
  const checkContent = (place: string, { content = {} }: Described): void => {
    for (const { schema } of Object.values(content)) checkFields(place, schema);
  };

  for (const [name, operation] of operations) {
    check(name, operation.description);
    check(`${name} summary`, operation.summary);
    for (const parameter of operation.parameters ?? []) check(`${name} ?${parameter.name}`, parameter.description);
    if (operation.requestBody) {
      check(`${name} body`, operation.requestBody.description);
      checkContent(`${name} body`, operation.requestBody);
    }
    for (const [status, answer] of Object.entries(operation.responses)) {
      check(`${name} ${status}`, answer.description);
      checkContent(`${name} ${status}`, answer);
      for (const [header, { description }] of Object.entries(answer.headers ?? {})) {
        check(`${name} ${status} ${header}`, description);
      }
    }
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    check(name, schema.description);
    checkFields(name, schema);
  }
  expect(bare).toEqual([]);
  expect(text).not.toContain('Default Response');
});

test('every operation has an id of its own and a tag that is declared', () => {
  const ids = operations.map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(operations.length);
  expect(ids).not.toContain(undefined);
  const used = new Set(operations.flatMap(([, { tags }]) => tags ?? ['none']));
  expect([...used].sort()).toEqual(document.tags.map(({ name }) => name).sort());
  for (const { description } of document.tags) expect(description).toEqual(expect.any(String));
});

test('what can only be one of a few values is an enum of the very values', () => {
  const { ErrorCode, Cause, Credential, Integration } = document.components.schemas;
  const inside = (schema: Schema | undefined, name: string): Schema | undefined =>
    (schema?.anyOf?.find(({ properties }) => properties) ?? schema)?.properties?.[name];
  expect(ErrorCode?.enum).toEqual(Object.keys(errorRegistry));
  expect(inside(Cause, 'code')?.enum).toEqual(causeCodes);
  expect(inside(inside(Credential, 'verdict'), 'code')?.enum).toEqual(causeCodes);
  expect(inside(inside(Credential, 'last_test'), 'outcome')?.enum).toEqual(credentialTestOutcomes);
  expect(inside(Integration, 'status')?.enum).toEqual(integrationStatuses);
});

test('pages are text/html, redirects name their location, and the callback answers both kinds of callers', () => {
  const kinds = (path: string, method: string, status: string): string[] =>
    Object.keys(document.paths[path]?.[method]?.responses[status]?.content ?? {});
  expect(kinds('/connect/{attempt}', 'get', '200')).toEqual(['text/html']);
  expect(kinds('/connect/{attempt}', 'get', '4XX')).toEqual(['text/html']);
  expect(kinds('/connect/{attempt}', 'post', '4XX')).toEqual(['text/html']);
  for (const status of ['200', '4XX', '5XX']) {
    expect(kinds('/api/oauth/callback/{provider}', 'get', status)).toEqual(['application/json', 'text/html']);
  }
  expect(kinds('/api/oauth/callback/{provider}', 'get', '202')).toEqual(['application/json']);
  for (const [name, { responses }] of operations) {
    const redirect = responses['303'];
    if (redirect)
      expect([name, Object.keys(redirect.headers ?? {}), redirect.content]).toEqual([name, ['location'], undefined]);
  }
});

test('it holds together: references resolve, and only routes that need a body ask for one', () => {
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(match => match[1]);
  expect(names.length).toBeGreaterThan(10);
  expect(Object.keys(document.components.schemas).sort()).toEqual([...new Set(names)].sort());
  const asking = operations.flatMap(([name, { requestBody }]) => (requestBody ? [name] : []));
  expect(asking.sort()).toEqual([
    'PATCH /api/integrations/{id}',
    'POST /api/authorize',
    'POST /api/credentials',
    'POST /api/integrations',
    'POST /api/integrations/{id}/deliveries/replay',
  ]);
});
