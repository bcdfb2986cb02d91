import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { RelinkError } from '../errors.js';
import { securityHeaders } from './security-headers.js';

/** Answers bytes that are no HTTP request; there is no request object, hence no hook and no log line. */
export function answerBrokenRequest(socket: Socket): void {
  if (socket.destroyed || !socket.writable) return;
  const { status, code, message, retryable } = new RelinkError('invalid_request');
  const body = JSON.stringify({ error: { code, message, retryable }, request_id: randomUUID() });
  const headers = {
    ...securityHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} Bad Request`, ...lines, '', body].join('\r\n'));
}
