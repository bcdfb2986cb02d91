import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { RunningWork } from '../credentials/running-work.js';
import { RelinkError } from '../errors.js';
import { answerError } from './answer-error.js';
import { answerBrokenRequest } from './answer-broken-request.js';
import { checkApiKey, readUser } from './authenticate.js';
import { closeConnections } from './close-connections.js';
import { createIntake } from './intake/create-intake.js';
import { createMetrics } from './intake/metrics.js';
import type { App, HttpContext, HttpDependencies } from './dependencies.js';
import { logRequests } from './log-requests.js';
import { parseReturnUrlRules } from './operations/return-urls.js';
import { parseJsonBody } from './parse-json-body.js';
import { registerOpenApi } from './register-openapi.js';
import { registerUserRoutes } from './register-user-routes.js';
import { getCallback } from './routes/api/oauth/callback/get-callback.js';
import { getConnect } from './routes/connect/get-connect.js';
import { postConnect } from './routes/connect/post-connect.js';
import { receiveWebhooks } from './routes/api/webhooks/receive-webhooks.js';
import { getHealth } from './routes/get-health.js';
import { Refusals } from './refusals.js';
import { getMetrics } from './routes/get-metrics.js';
import { setSecurityHeaders } from './security-headers.js';

const bodyLimit = 64 * 1024;
/** For wakes that are on their way when the server stops; the sweep makes up for the rest. Milliseconds. */
const wakesCloseWithinMs = 2_000;
/** To receive a whole request; a slower sender holds a connection for nothing. Milliseconds. */
const requestTimeout = 30_000;

/**
 * Builds the HTTP service; `listen` or `inject` it. Closing it waits for exchanges in flight.
 *
 * @throws ConfigError when an entry of `config.returnUrls` is no URL to return to.
 */
export async function createApp(dependencies: HttpDependencies): Promise<FastifyInstance> {
  const metrics = createMetrics();
  const context: HttpContext = {
    ...dependencies,
    metrics,
    intake: createIntake(dependencies, metrics),
    handshakes: new Refusals(dependencies.log),
    now: dependencies.now ?? (() => new Date()),
    returnUrlRules: parseReturnUrlRules(dependencies.config.returnUrls),
    exchanges: new RunningWork(),
  };
  const app = Fastify({
    // Fastify's own lines hold raw URLs; ours are written by logRequests and answerError.
    logger: false,
    bodyLimit,
    requestTimeout,
    genReqId: () => randomUUID(),
    // A HEAD by a link checker must not begin an attempt or use up a code.
    exposeHeadRoutes: false,
    // A request that comes in while closing is answered like any other, not by Fastify's own words.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders(reply);
      answerError(context, error, request, reply);
    },
    clientErrorHandler: (_error, socket) => answerBrokenRequest(socket),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  parseJsonBody(app);
  logRequests(app, context.log);
  app.decorateRequest('apiKey', null);
  app.addHook('onRequest', (_request, reply, done) => {
    setSecurityHeaders(reply);
    done();
  });
  app.setErrorHandler((error, request, reply) => answerError(context, error, request, reply));
  app.setNotFoundHandler((request, reply) => answerError(context, new RelinkError('route_not_found'), request, reply));
  closeConnections(app);
  app.addHook('onClose', () => context.exchanges.settled());
  app.addHook('onClose', () => context.intake.close(wakesCloseWithinMs));

  await registerOpenApi(app, context);
  getHealth(app, context);
  await app.register((pages: App, _options, done) => {
    // Here alone: it has hooks, which routes that take thousands of requests are spared.
    pages.register(cookie);
    pages.register(formbody);
    getConnect(pages, context);
    postConnect(pages, context);
    getCallback(pages, context);
    done();
  });
  await app.register((webhooks: App, _options, done) => {
    receiveWebhooks(webhooks, context);
    done();
  });
  await app.register((operators: App, _options, done) => {
    operators.addHook('onRequest', (request, _reply, next) => {
      checkApiKey(context.config.apiKeys, request);
      next();
    });
    getMetrics(operators, context);
    done();
  });
  await app.register((users: App, _options, done) => {
    users.addHook('onRequest', (request, _reply, next) => {
      checkApiKey(context.config.apiKeys, request);
      readUser(request);
      next();
    });
    registerUserRoutes(users, context);
    done();
  });
  return app;
}
