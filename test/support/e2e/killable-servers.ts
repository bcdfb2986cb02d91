import { join } from 'node:path';
import { searchAttributeKinds } from '../../../src/contracts/search-attributes.js';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/embedded/postgres/start-embedded-postgres.js';
import { findMongoServer } from '../../../src/embedded/mongo/find-mongo-server.js';
import { startEmbeddedMongo } from '../../../src/embedded/mongo/start-embedded-mongo.js';
import { startEmbeddedTemporal } from '../../../src/embedded/temporal/start-embedded-temporal.js';
import { findTestCli } from '../test-servers.js';

/** A server that comes back on its own data and port. */
export interface KillableServer {
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** On the same data and the same port; does nothing when it runs. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Started {
  readonly pid: number;
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export function createKillableServer(startOnce: () => Promise<Started>): KillableServer {
  let running: Started | undefined;
  return {
    kill: async () => {
      if (running === undefined) throw new Error('it does not run');
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
      running = undefined;
    },
    start: async () => {
      running ??= await startOnce();
    },
    stop: async () => {
      await running?.stop();
      running = undefined;
    },
  };
}

const onProgress = () => undefined;

export async function startKillablePostgres(directory: string) {
  let port: number | undefined;
  let running: EmbeddedPostgres | undefined;
  const server = createKillableServer(async () => {
    const started = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres'), port, onProgress });
    expectSame('PostgreSQL', port, started.port);
    port = started.port;
    running = started;
    return started;
  });
  await server.start();
  /** The same after every start. */
  const url = (database: string) => running?.url(database) ?? '';
  return { ...server, url };
}

/** The MongoDB-compatible server, likewise. */
export async function startKillableMongo(directory: string) {
  const found = await findMongoServer(join(__dirname, '../../../.relink/tools'), onProgress);
  if ('problem' in found) throw new Error(`No MongoDB to test against: ${found.problem}`);
  let port: number | undefined;
  const server = createKillableServer(async () => {
    const dataDirectory = join(directory, 'mongo');
    const started = await startEmbeddedMongo({ serverPath: found.path, dataDirectory, port, onProgress });
    expectSame('MongoDB', port, started.port);
    port = started.port;
    return started;
  });
  await server.start();
  return { ...server, url: (database: string) => `mongodb://127.0.0.1:${port ?? 0}/${database}` };
}

/** @param port Where it will be; it is not started yet. */
export async function prepareKillableTemporal(directory: string, port: number): Promise<KillableServer> {
  const { path: cliPath } = await findTestCli();
  return createKillableServer(async () => {
    const started = await startEmbeddedTemporal({
      cliPath,
      databaseFile: join(directory, 'temporal.db'),
      port,
      headless: true,
      searchAttributes: searchAttributeKinds,
      onProgress,
    });
    expectSame('Temporal', `127.0.0.1:${port}`, started.address);
    return started;
  });
}

function expectSame(name: string, wanted: string | number | undefined, got: string | number): void {
  if (wanted !== undefined && wanted !== got) throw new Error(`${name} came back elsewhere: ${got}, not ${wanted}`);
}
