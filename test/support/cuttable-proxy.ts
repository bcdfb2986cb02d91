import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** A wire to the database that a test can cut, keep silent, and mend. */
export interface CuttableProxy {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /** Resets every connection, at once, and refuses new ones; resolves when its port is closed. */
  cut(): Promise<void>;
  /** Accepts connections and passes nothing on, in neither direction, as a host behind a dead network does. */
  silence(): void;
  /**
   * Passes on what is sent, and of the answers only the first `spared`; resolves when another one was lost. What was sent
   * then has been carried out without its sender hearing of it.
   */
  loseAnswers(spared: number): Promise<void>;
  /** Of connections made from now on, passes answers on as `change` returns them. */
  alterAnswers(change: (bytes: Buffer) => Buffer): void;
  /** After a silence: passes on what was kept, so that nothing is lost. */
  resume(): void;
  /** New connections work again; those that were kept silent are broken. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function startCuttableProxy(databaseUrl: string): Promise<CuttableProxy> {
  const target = new URL(databaseUrl);
  const wires = new Set<readonly [Socket, Socket]>();
  let silent = false;
  let answer: ((from: Socket, to: Socket) => void) | undefined;
  const join = ([one, other]: readonly [Socket, Socket]) => {
    one.pipe(other);
    if (answer === undefined) other.pipe(one);
    else answer(other, one);
  };
  const breakAll = (how: 'destroy' | 'resetAndDestroy') => {
    for (const wire of wires) for (const end of wire) end[how]();
  };
  const server = createServer(incoming => {
    const wire = [incoming, connect(Number(target.port), target.hostname)] as const;
    wires.add(wire);
    for (const socket of wire) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        wires.delete(wire);
        for (const end of wire) end.destroy();
      });
    }
    if (!silent) join(wire);
  });

  async function listen(port: number): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  async function cut(): Promise<void> {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    breakAll('resetAndDestroy');
    await closed;
  }

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    cut,
    silence: () => {
      silent = true;
      for (const wire of wires) for (const socket of wire) socket.unpipe().pause();
    },
    loseAnswers: spared =>
      new Promise(resolve => {
        let left = spared;
        answer = (from, to) => {
          from.unpipe().on('data', bytes => {
            left -= 1;
            if (left >= 0) to.write(bytes);
            else resolve();
          });
          from.resume();
        };
        for (const [incoming, database] of wires) answer(database, incoming);
      }),
    alterAnswers: change => {
      answer = (from, to) => {
        from.on('data', bytes => to.write(change(bytes)));
      };
    },
    resume: () => {
      if (silent) wires.forEach(join);
      silent = false;
    },
    mend: async () => {
      if (silent || answer !== undefined) breakAll('destroy');
      silent = false;
      answer = undefined;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
