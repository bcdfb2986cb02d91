import { startEmbeddedTemporal } from '../../../src/embedded/temporal/start-embedded-temporal.js';

/** start-temporal <cli> <database file>: starts it, says {pid, address}, and stays until killed. */
async function main(): Promise<void> {
  const [, , cliPath = '', databaseFile = ''] = process.argv;
  const { pid, address } = await startEmbeddedTemporal({
    cliPath,
    databaseFile,
    searchAttributes: { IntegrationId: 'Keyword' },
    headless: true,
    onProgress: () => undefined,
  });
  process.stdout.write(`${JSON.stringify({ pid, address })}\n`);
  setInterval(() => undefined, 1000);
}

void main();
