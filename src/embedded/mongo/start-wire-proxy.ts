import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { cutMessages, readCommand, type WireMessage, writeReply } from './wire-messages.js';

export interface WireProxy {
  readonly port: number;
  close(): Promise<void>;
}

export interface WireTarget {
  readonly host?: string;
  readonly port: number;
}

export type Verdict =
  | 'pass'
  | 'cut'
  /** Answered in the server's place. */
  | { readonly reply: Record<string, unknown> }
  /** Passed on, and the connection is cut before its answer comes back. */
  | 'pass and cut';

/** A verdict that is still to come keeps the command waiting; it is carried out also when its sender has gone meanwhile. */
export type Judge = (command: Record<string, unknown>) => Verdict | Promise<Verdict>;

/**
 * Stands between a driver and a server of MongoDB's protocol and decides about every command before it is passed on.
 * Bound to 127.0.0.1.
 *
 * @param target Its host is 127.0.0.1 unless given.
 * @param judge Given the command as it goes over the wire, the handshake too.
 */
export async function startWireProxy(target: WireTarget, judge: Judge): Promise<WireProxy> {
  const open = new Set<() => void>();
  const server = createServer(client => {
    const upstream = connect(target.port, target.host ?? '127.0.0.1');
    const end = () => {
      open.delete(end);
      client.destroy();
      upstream.destroy();
    };
    open.add(end);
    let waiting = 0;
    let isOrphan = false;
    const leave = () => {
      isOrphan = waiting > 0;
      if (!isOrphan) end();
    };
    client.on('error', leave).on('close', leave);
    upstream.on('error', end).on('close', end);
    let cutAfter = false;
    upstream.on('data', bytes => (cutAfter || isOrphan ? end() : client.write(bytes)));
    const handle = (message: WireMessage) => {
      const verdict = judge(readCommand(message));
      if (!(verdict instanceof Promise)) return carryOut(message, verdict);
      waiting += 1;
      void verdict.then(late => {
        waiting -= 1;
        carryOut(message, late);
      });
    };
    const carryOut = (message: WireMessage, verdict: Verdict) => {
      if (verdict === 'cut') return end();
      if (typeof verdict === 'object') return void client.write(writeReply(message, verdict.reply));
      cutAfter = verdict === 'pass and cut';
      upstream.write(message.bytes);
    };
    let kept: Buffer = Buffer.alloc(0);
    client.on('data', bytes => {
      const { messages, rest } = cutMessages(kept.length === 0 ? bytes : Buffer.concat([kept, bytes]));
      kept = rest;
      messages.forEach(handle);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const end of open) end();
      await closed;
    },
  };
}
