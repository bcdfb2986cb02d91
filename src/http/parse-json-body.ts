import type { App } from './dependencies.js';

/**
 * Fastify's JSON parser, which refuses `__proto__` and `constructor` keys, except that an empty body is no body: many
 * clients send the content type with every request.
 */
export function parseJsonBody(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    if (text === '') done(null, undefined);
    else void parse(request, text, done);
  });
}
