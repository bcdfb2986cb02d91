import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/**
 * One JSON line an event on standard output. Errors are logged by code and message only: what a library hangs on its
 * errors (requests, headers, bodies) never reaches a log.
 */
export function createLog(level: string, name: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { role: name },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: 'a value that is not an error was thrown' };
  const code: unknown = 'code' in error ? error.code : undefined;
  const stack = error.stack
    ?.split('\n')
    .slice(1, 6)
    .map(line => line.trim());
  return { type: error.name, ...(typeof code === 'string' ? { code } : {}), message: error.message, stack };
}
