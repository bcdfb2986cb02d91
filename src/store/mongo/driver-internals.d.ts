/** Of the driver, and not of its public interface: what fail-undrained-writes.ts mends. The version is pinned. */
declare module 'mongodb/lib/cmap/connection.js' {
  import { EventEmitter } from 'node:events';

  export class Connection extends EventEmitter {
    static readonly CLOSE: 'close';
    readonly error: Error | null;
    writeCommand: (this: Connection, command: unknown, options: unknown) => Promise<void>;
  }
}
