import { startEmbeddedPostgres } from '../../../src/embedded/postgres/start-embedded-postgres.js';

/** start-postgres <directory>: starts it, says {pid, port}, and stays until killed. */
async function main(): Promise<void> {
  const [, , dataDirectory = ''] = process.argv;
  const { pid, port } = await startEmbeddedPostgres({ dataDirectory, onProgress: () => undefined });
  process.stdout.write(`${JSON.stringify({ pid, port })}\n`);
  setInterval(() => undefined, 1000);
}

void main();
