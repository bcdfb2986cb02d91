import { join } from 'node:path';
import { findMongoServer } from './mongo/find-mongo-server.js';
import { startDocumentdbProxy } from './mongo/start-documentdb-proxy.js';
import { recoverEmbeddedMongo, startEmbeddedMongo } from './mongo/start-embedded-mongo.js';
import { ensureDatabase } from './postgres/ensure-database.js';
import { removeEmbeddedPostgres } from './postgres/remove-embedded-postgres.js';
import { startEmbeddedPostgres } from './postgres/start-embedded-postgres.js';
import type { StoreName } from './store-names.js';

export interface EmbeddedDatabaseOptions {
  readonly store: StoreName;
  /** The stack's own directory: each database has a folder of its own in it. */
  readonly directory: string;
  /** The MongoDB-compatible server is kept here between stacks. */
  readonly toolsDirectory: string;
  readonly port?: number | undefined;
  readonly onProgress: (line: string) => void;
}

export interface EmbeddedDatabase {
  /** `DATABASE_URL` of a database `relink`, which is there and not migrated. */
  readonly url: string;
  /** What it is and where it listens. */
  readonly label: string;
  /** Resolves with a sentence when it has ended, also when nobody asked it to. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/**
 * A database for `npm start`, the demo, the benchmarks and the tests. `mongo` is FerretDB, one write at a time;
 * `documentdb` is the same behind a proxy that refuses what is outside Amazon's list, with the profile in the URL.
 *
 * @throws Error when it does not come up, or when there is no Go to build the MongoDB-compatible server with.
 */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const { store, directory, port, onProgress } = options;
  if (store === 'postgres') {
    const postgres = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres'), port, onProgress });
    await ensureDatabase(postgres.url('postgres'), 'relink');
    return {
      url: postgres.url('relink'),
      label: `PostgreSQL: 127.0.0.1:${postgres.port}`,
      exited: postgres.exited.then(reason => `PostgreSQL ended (${reason})`),
      stop: () => postgres.stop(),
    };
  }
  const found = await findMongoServer(options.toolsDirectory, onProgress);
  if ('problem' in found) throw new Error(`The MongoDB-compatible server cannot be started: ${found.problem}`);
  const dataDirectory = join(directory, 'mongo');
  const mongo = await startEmbeddedMongo({ serverPath: found.path, dataDirectory, port, onProgress });
  const exited = mongo.exited.then(reason => `The MongoDB-compatible server ended (${reason})`);
  if (store === 'mongo') {
    const label = `MongoDB-compatible server (FerretDB): 127.0.0.1:${mongo.port}`;
    return { url: mongo.url('relink'), label, exited, stop: () => mongo.stop() };
  }
  const proxy = await startDocumentdbProxy(mongo);
  return {
    url: `mongodb://127.0.0.1:${proxy.port}/relink?relinkProfile=documentdb&tls=false`,
    label: `DocumentDB profile on FerretDB, behind Amazon's list: 127.0.0.1:${proxy.port}`,
    exited,
    stop: async () => {
      await proxy.close();
      await mongo.stop();
    },
  };
}

/** Stops what a killed process left in `directory`, and removes the files that PostgreSQL keeps elsewhere. */
export async function clearEmbeddedDatabases(directory: string, onProgress: (line: string) => void): Promise<void> {
  await removeEmbeddedPostgres(join(directory, 'postgres'), onProgress);
  await recoverEmbeddedMongo(join(directory, 'mongo'), onProgress);
}
