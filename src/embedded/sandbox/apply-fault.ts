import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './faults.js';
import { sendJson } from './http-messages.js';

const hugeBytes = 10 * 1024 * 1024;

/**
 * Brings a fault upon a request whose body has been read.
 *
 * @param closing Ends a waiting delay when the sandbox stops.
 * @returns Whether the fault has answered. If not, the request is to be carried out: its answer may still be spoilt.
 */
export async function applyFault(
  fault: Fault,
  req: IncomingMessage,
  res: ServerResponse,
  closing: AbortSignal,
): Promise<boolean> {
  const pause = () => delay(fault.delayMs, undefined, { signal: closing }).catch(() => undefined);
  if (fault.kind === 'lost') {
    replaceEnd(res, () => req.socket.resetAndDestroy());
    return false;
  }
  if (fault.kind === 'late') {
    replaceEnd(res, (body, send) => void pause().then(() => send(body)));
    return false;
  }
  if (fault.kind === 'altered') {
    replaceEnd(res, (body, send) => send(alterAnswer(fault, body)));
    return false;
  }
  if (fault.delayMs !== undefined) await pause();
  if (fault.kind === 'slow') return res.destroyed;
  if (res.destroyed || fault.kind === 'hang') return true;
  if (fault.kind === 'reset') req.socket.resetAndDestroy();
  else answer(fault, res);
  return true;
}

function answer(fault: Fault, res: ServerResponse): void {
  const status = fault.status ?? 200;
  const headers: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  const send = (contentType: string, body: string) =>
    void res.writeHead(status, { 'content-type': contentType, ...headers }).end(body);
  if (fault.kind === 'garbage') send('application/json', '<<< this is not JSON >>>');
  else if (fault.kind === 'html') send('text/html', '<!doctype html><title>502</title><h1>Bad Gateway</h1>');
  else if (fault.kind === 'empty') send('application/json', '');
  else if (fault.kind === 'huge') send('application/json', JSON.stringify({ padding: 'x'.repeat(hugeBytes) }));
  else sendJson(res, status, fault.body ?? { error: defaultError(status, fault.endpoint) }, headers);
}

/** Has the answer handed to `spoil` when it is complete; its headers are not sent yet by then. */
function replaceEnd(res: ServerResponse, spoil: (body: string, send: (body: string) => void) => void): void {
  const end = res.end.bind(res);
  const send = (body: string) => {
    if (res.destroyed) return;
    if (!res.headersSent) res.setHeader('content-length', Buffer.byteLength(body));
    end(body);
  };
  res.end = (chunk?: unknown) => {
    spoil(typeof chunk === 'string' || Buffer.isBuffer(chunk) ? chunk.toString() : '', send);
    return res;
  };
}

function alterAnswer({ alter = {}, omit = [] }: Fault, body: string): string {
  const answered: unknown = JSON.parse(body);
  const fields = Object.entries({ ...(answered as object), ...alter }).filter(([name]) => !omit.includes(name));
  return JSON.stringify(Object.fromEntries(fields));
}

function defaultError(status: number, endpoint: Fault['endpoint']): string {
  if (status === 401) return endpoint === 'identity' ? 'invalid_token' : 'invalid_client';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
