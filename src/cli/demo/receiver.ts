import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

const bodySchema = z.object({ n: z.number() });

/** The adopter's own service as `forward` posts to it: it verifies every request and notes what it got. */
export interface Receiver {
  /** An address of its own for each story. */
  url(story: string): string;
  /** The numbers of the webhooks a story's address was posted, in order. */
  received(story: string): readonly number[];
  close(): Promise<void>;
}

export async function startReceiver(secret: string): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const received = new Map<string, number[]>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      try {
        webhook.verify(body, readHeaders(request.headers));
        const story = (request.url ?? '/').slice(1);
        received.set(story, [...(received.get(story) ?? []), bodySchema.parse(JSON.parse(body)).n]);
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: story => `http://127.0.0.1:${port}/${story}`,
    received: story => received.get(story) ?? [],
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

function readHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
