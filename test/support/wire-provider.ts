import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Socket } from 'node:net';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers one request after it was read to its end. */
export type WireReply = (response: ServerResponse, request: WireRequest) => void;

export interface WireProvider {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Every request that arrived whole, in order. */
  readonly requests: readonly WireRequest[];
  /** Connections opened so far, also those without a request. */
  readonly connections: number;
  /** What every request gets from now on. */
  reply: WireReply;
  close(): Promise<void>;
}

/** A real server on loopback in a provider's place, which answers exactly what a test says. */
export async function startWireProvider(reply: WireReply = replyJson(200, {})): Promise<WireProvider> {
  const requests: WireRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => response.destroy());
    incoming.on('end', () => {
      const request: WireRequest = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      requests.push(request);
      wire.reply(response, request);
    });
  });
  server.on('connection', socket => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const wire: WireProvider = {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections;
    },
    reply,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return wire;
}

export function replyJson(status: number, body: unknown, headers: Record<string, string> = {}): WireReply {
  return replyText(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

export function replyText(status: number, body: string, headers: Record<string, string> = {}): WireReply {
  return response => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Reads the request and never answers. */
export const hang: WireReply = () => undefined;

/** Begins a good answer and stops in the middle of its body. */
export const hangMidBody: WireReply = response => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"access_token":"half-a-');
};

/** Reads the request, then resets the connection. */
export const reset: WireReply = response => {
  response.socket?.resetAndDestroy();
};

/** Resets in the middle of the body. */
export const resetMidBody: WireReply = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"access_token":"half-a-', () => response.socket?.resetAndDestroy());
};

/** Ten million bytes, sent as fast as they are taken. */
export const replyTenMegabytes: WireReply = response => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`{"access_token":"${'x'.repeat(10_000_000)}"}`);
};
