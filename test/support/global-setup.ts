// Without the .js ending: this import is what makes the others findable.
import './resolve-typescript';
import { searchAttributeKinds } from '../../src/contracts/search-attributes.js';
import { findTestCli, report, startTestServers, type TestServers } from './test-servers.js';

declare global {
  var relinkTestServers: TestServers | undefined;
}

/**
 * Once for all projects of a Jest run: one PostgreSQL, one Temporal dev server. Tests read RELINK_TEST_POSTGRES_URL
 * (superuser), RELINK_TEST_TEMPORAL_ADDRESS, RELINK_TEST_RUN_DIRECTORY and RELINK_TEST_TEMPORAL_CLI. With
 * RELINK_TEST_NO_SERVERS=1 only the last, and nothing is started.
 */
export default async function globalSetup(): Promise<void> {
  if (process.env['RELINK_TEST_NO_SERVERS'] === '1') {
    process.env['RELINK_TEST_TEMPORAL_CLI'] = (await findTestCli()).path;
    return;
  }
  const starting = startTestServers(searchAttributeKinds);

  // Jest runs no teardown when it is interrupted.
  let interrupted = false;
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = true;
      report('test servers: stopping');
      void starting.then(servers => servers.stop()).finally(() => process.exit(128 + number));
    });
  }

  const servers = await starting;
  globalThis.relinkTestServers = servers;
  process.env['RELINK_TEST_RUN_DIRECTORY'] = servers.directory;
  process.env['RELINK_TEST_POSTGRES_URL'] = servers.postgresUrl;
  process.env['RELINK_TEST_TEMPORAL_ADDRESS'] = servers.temporalAddress;
  process.env['RELINK_TEST_TEMPORAL_CLI'] = servers.temporalCli;
}
