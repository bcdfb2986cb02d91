import getPort, { clearLockedPorts, portNumbers } from 'get-port';

const anyFrom = 15_000;
const anyCount = 15_000;

/**
 * A free port of 127.0.0.1: the wanted one, else the next free one of the hundred after it (said in one line), else any.
 * Without a wanted port, any free one. The port can still be taken before the caller binds it: retry then.
 *
 * @param purpose how the line names it, for example "PostgreSQL"
 * @param exclude ports that are spoken for but not bound yet
 */
export async function pickPort(
  wanted: number | undefined,
  purpose: string,
  onProgress: (line: string) => void,
  exclude: readonly number[] = [],
): Promise<number> {
  if (wanted === undefined || wanted === 0) {
    // Below the ports that systems give to outgoing connections: one of those is gone again before it can be bound.
    const first = anyFrom + Math.floor(Math.random() * anyCount);
    return getPort({ host: '127.0.0.1', port: portNumbers(first, first + 100), exclude });
  }
  const last = Math.min(wanted + 100, 65_535);
  const pick = () => getPort({ host: '127.0.0.1', port: portNumbers(wanted, last), exclude });
  let port = await pick();
  if (port !== wanted) {
    // get-port holds back what it gave to this process a moment ago; a server that is restarted wants just that.
    clearLockedPorts();
    port = await pick();
  }
  if (port !== wanted) onProgress(`${purpose}: port ${wanted} is taken, using ${port}`);
  return port;
}
