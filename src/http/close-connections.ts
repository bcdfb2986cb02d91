import type { App } from './dependencies.js';

/**
 * Closing the server ends the connections that are idle at that moment. One whose request is still running would stay
 * open after its answer, until its keep-alive time is over, and hold up the end of the process: it is told to close.
 */
export function closeConnections(app: App): void {
  let closing = false;
  app.addHook('preClose', done => {
    closing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close');
    done();
  });
}
