import { MongoNetworkError } from 'mongodb';
import { Connection } from 'mongodb/lib/cmap/connection.js';

let isDone = false;

/**
 * Mends the driver (7.9.0): a command that is written to a socket which was destroyed, and has not said so yet, waits for
 * its "drain" for ever. Its connection is never given back to the pool either, so that an outage of a busy server leaves a
 * process without any. Here a write also ends with its connection.
 *
 * The command fails as every other does that was under way; the driver repeats it where it repeats those.
 */
export function failUndrainedWrites(): void {
  if (isDone) return;
  isDone = true;
  const write = Connection.prototype.writeCommand;
  Connection.prototype.writeCommand = async function (this: Connection, command, options) {
    let onClose = () => undefined;
    const closed = new Promise<never>((_, reject) => {
      onClose = () => void reject(this.error ?? new MongoNetworkError('the connection was closed'));
    });
    this.once(Connection.CLOSE, onClose);
    try {
      await Promise.race([write.call(this, command, options), closed]);
    } finally {
      this.off(Connection.CLOSE, onClose);
    }
  };
}
