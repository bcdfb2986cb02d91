import { once } from 'node:events';
import { createServer } from 'node:net';
import { pickPort } from './pick-port.js';

export interface HeldPort {
  readonly port: number;
  /** Lets go of it; whoever is to listen on it does so right after. */
  release(): Promise<void>;
}

/**
 * Picks a port and keeps it from others until its server is ready to listen. For an address that has to be known, and
 * told to others, seconds before anything listens on it.
 */
export async function holdPort(
  wanted: number | undefined,
  purpose: string,
  onProgress: (line: string) => void,
): Promise<HeldPort> {
  for (;;) {
    const port = await pickPort(wanted, purpose, onProgress);
    const holder = createServer(socket => socket.destroy());
    try {
      holder.listen(port, '127.0.0.1');
      await once(holder, 'listening');
    } catch (error) {
      // Somebody was faster by an instant; the next pick sees it.
      if (error instanceof Object && 'code' in error && error.code === 'EADDRINUSE') continue;
      throw error;
    }
    const release = async () => {
      if (!holder.listening) return;
      const closed = once(holder, 'close');
      holder.close();
      await closed;
    };
    return { port, release };
  }
}
