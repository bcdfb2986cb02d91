import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { findMongoServer } from '../../src/embedded/mongo/find-mongo-server.js';
import { startEmbeddedMongo } from '../../src/embedded/mongo/start-embedded-mongo.js';
import { report } from './test-servers.js';

export interface TestMongo {
  /** What it is, for tables and documents. */
  readonly server: string;
  /** The URL of a database that nobody else uses; nothing is migrated yet. */
  newDatabase(): string;
  stop(): Promise<void>;
}

const own = process.env['MONGODB_URL'];
export const mongoServerName =
  own === undefined ? 'FerretDB 1.24 (SQLite), one write at a time' : 'the server of MONGODB_URL';

/**
 * Why no MongoDB can be tested against on this machine; undefined when one can. Where the tests must not be skipped (CI) the
 * start fails instead.
 */
export function whyNoMongo(): string | undefined {
  if (own !== undefined || whyNoEmbeddedMongo() === undefined) return undefined;
  return 'MONGODB_URL is not set, and there is no "go" on PATH';
}

/** The same of the server that starts from a package, whatever `MONGODB_URL` names: for tests that kill it. */
export function whyNoEmbeddedMongo(): string | undefined {
  if (process.env['CI'] !== undefined || spawnSync('go', ['version']).status === 0) return undefined;
  return 'there is no "go" on PATH to build the MongoDB-compatible server with';
}

/** `describe`, or where there is no server a line that says what was not tested. */
export function describeOnMongo(name: string, suite: () => void): void {
  const missing = whyNoMongo();
  if (missing === undefined) return describe(name, suite);
  report(`NOT TESTED: ${name}: ${missing}`);
  describe.skip(name, suite);
}

/** The server of `MONGODB_URL`, else an embedded one of its own with an empty data directory. */
export async function startTestMongo(): Promise<TestMongo> {
  if (own !== undefined) {
    const made: string[] = [];
    return {
      server: mongoServerName,
      newDatabase: () => {
        const url = new URL(own);
        url.pathname = `/${newName()}`;
        if (url.port === '') url.port = '27017';
        made.push(url.href);
        return url.href;
      },
      stop: async () => {
        for (const url of made) await drop(url);
      },
    };
  }
  const found = await findMongoServer(join(__dirname, '../../.relink/tools'), report);
  if ('problem' in found) throw new Error(`No MongoDB to test against: ${found.problem}`);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'relink-mongo-'));
  const embedded = await startEmbeddedMongo({ serverPath: found.path, dataDirectory, onProgress: () => undefined });
  return {
    server: mongoServerName,
    newDatabase: () => embedded.url(newName()),
    stop: async () => {
      await embedded.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

const newName = () => `test_${randomBytes(6).toString('hex')}`;

async function drop(url: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db().dropDatabase();
  await client.close();
}
