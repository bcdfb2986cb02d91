import type { App } from './dependencies.js';
import type { Log } from '../log.js';
import { nameRoute } from './name-route.js';

/**
 * One line a request. It names the route's pattern and never the URL: queries of callbacks hold codes, and paths hold
 * ids that the operation itself logs where they matter.
 */
export function logRequests(app: App, log: Log): void {
  app.decorateRequest('errorCode', null);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.config.quiet === true) {
      done();
      return;
    }
    const line = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(request.errorCode === null ? {} : { code: request.errorCode }),
    };
    const answer = [line.status, ...(request.errorCode === null ? [] : [request.errorCode])].join(' ');
    log[line.status >= 500 ? 'warn' : 'info'](line, `${nameRoute(request)} answered ${answer} in ${line.ms} ms`);
    done();
  });
}
