import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire to the database on which a test can make everything stand still for a while. Nothing is lost. */
export interface PausableProxy {
  /** The database's URL, through the proxy. */
  readonly url: string;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function startPausableProxy(databaseUrl: string): Promise<PausableProxy> {
  const target = new URL(databaseUrl);
  const wires = new Set<readonly [Socket, Socket]>();
  let paused = false;
  const open = ([one, other]: readonly [Socket, Socket]) => one.pipe(other).pipe(one);
  const server = createServer(incoming => {
    const outgoing = connect(Number(target.port), target.hostname);
    const wire = [incoming, outgoing] as const;
    wires.add(wire);
    for (const socket of wire) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        wires.delete(wire);
        for (const end of wire) end.destroy();
      });
    }
    if (!paused) open(wire);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    pause: () => {
      paused = true;
      for (const wire of wires) for (const socket of wire) socket.unpipe().pause();
    },
    resume: () => {
      paused = false;
      wires.forEach(open);
    },
    close: async () => {
      server.close();
      for (const wire of wires) for (const socket of wire) socket.destroy();
    },
  };
}
