import { Secret } from '../../vault/secret.js';
import type { WebhookDefinition, WebhookRequest } from './definition.js';
import { readHeader, readJson, readPath, readText } from './read-request.js';

export interface HandshakeAnswer {
  readonly contentType: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Only right behind a right signature. */
  readonly signed: boolean;
  /** To be kept as this webhook's secret, where none is kept yet. */
  readonly secret: Secret | null;
}

const plain = { contentType: 'text/plain; charset=utf-8', body: '', headers: {}, signed: false, secret: null };
const longestEcho = 4096;

/** The answer a provider expects of a new webhook address; null when this is no handshake. Always with a 200. */
export function answerHandshake(definition: WebhookDefinition, request: WebhookRequest): HandshakeAnswer | null {
  const { handshake } = definition;
  switch (handshake?.kind) {
    case undefined:
      return null;
    case 'echo-body': {
      const body = request.method === 'POST' ? readJson(request.body) : undefined;
      const { signed, type } = handshake;
      const value = type === undefined || readText(body, 'type') === type ? readText(body, handshake.when) : null;
      if (value === null || value.length > longestEcho) return null;
      if (handshake.as === 'text') return { ...plain, signed, body: value };
      return { ...plain, signed, contentType: 'application/json', body: JSON.stringify({ [handshake.when]: value }) };
    }
    case 'echo-query': {
      const value = request.query[handshake.parameter];
      return value === undefined || value.length > longestEcho ? null : { ...plain, body: value };
    }
    case 'echo-secret-header': {
      const value = isSigned(definition, request) ? null : readHeader(request, handshake.header);
      if (value === null || value.length > longestEcho) return null;
      return { ...plain, headers: { [handshake.header]: value }, secret: new Secret(value) };
    }
    case 'secret-in-body': {
      const isFirst = request.method === 'POST' && !isSigned(definition, request);
      const value = isFirst ? readText(readJson(request.body), handshake.path) : null;
      return value === null || value.length > longestEcho ? null : { ...plain, secret: new Secret(value) };
    }
    case 'intent-to-receive': {
      const events = readPath(readJson(request.body), handshake.emptyList);
      return Array.isArray(events) && events.length === 0 ? { ...plain, signed: true } : null;
    }
    case 'probe':
      return request.method === 'GET' ? plain : null;
  }
}

/** A webhook with a signature is one to verify, whatever else it holds: only the first of all has none. */
function isSigned({ signature }: WebhookDefinition, { headers }: WebhookRequest): boolean {
  return signature.kind === 'hmac' && headers[signature.header] !== undefined;
}
