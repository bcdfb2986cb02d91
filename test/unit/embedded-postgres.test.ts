import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { chooseLocation, relocatedDirectory } from '../../src/embedded/postgres/choose-location.js';
import { ensureDatabase } from '../../src/embedded/postgres/ensure-database.js';
import { findServerUser } from '../../src/embedded/postgres/find-server-user.js';
import { locateBinaries } from '../../src/embedded/postgres/locate-binaries.js';
import { removeEmbeddedPostgres } from '../../src/embedded/postgres/remove-embedded-postgres.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/start-embedded-postgres.js';
import { readProcess } from '../../src/embedded/process/read-process.js';
import { spawnTypescript } from '../support/spawn-typescript.js';

const isRoot = process.getuid?.() === 0;
const lines: string[] = [];
const onProgress = (line: string) => void lines.push(line);
const toStop: EmbeddedPostgres[] = [];
let base: string;
let dataDirectory: string;

const start = async (directory = dataDirectory, port?: number) => {
  const server = await startEmbeddedPostgres({ dataDirectory: directory, onProgress, ...(port && { port }) });
  toStop.push(server);
  return server;
};

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(async () => {
  lines.length = 0;
  base = await mkdtemp(join(tmpdir(), 'relink-embedded-'));
  await chmod(base, 0o755);
  dataDirectory = join(base, 'postgres');
  await mkdir(dataDirectory);
  await chmod(dataDirectory, 0o755);
});

afterEach(async () => {
  await Promise.all(toStop.splice(0).map(server => server.stop()));
  await removeEmbeddedPostgres(dataDirectory, onProgress);
  await rm(base, { recursive: true, force: true });
});

it('creates its files once and keeps the data over a restart', async () => {
  const first = await start();
  expect(first.reused).toBe(false);
  await ensureDatabase(first.url('postgres'), 'relink');
  await query(first.url('relink'), 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(await readProcess(first.pid)).toBeUndefined();

  const second = await start();
  expect(second.reused).toBe(true);
  expect(await query(second.url('relink'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  const shown = await query(
    second.url('relink'),
    `SELECT name, setting FROM pg_settings
     WHERE name IN ('fsync', 'listen_addresses', 'unix_socket_directories', 'server_encoding') ORDER BY name`,
  );
  expect(shown.map(({ setting }) => setting)).toEqual(['on', '127.0.0.1', 'UTF8', '']);
  expect((await stat(join(dataDirectory, 'password'))).mode & 0o777).toBe(0o600);
  await expect(query(second.url('relink').replace(/:[0-9a-f]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
});

it('creates a database once, also when asked several times at once', async () => {
  const server = await start();
  await Promise.all([1, 2, 3].map(() => ensureDatabase(server.url('postgres'), 'one "odd" name')));
  await ensureDatabase(server.url('postgres'), 'one "odd" name');
  expect(await query(server.url('one "odd" name'), 'SELECT current_database() AS name')).toEqual([
    { name: 'one "odd" name' },
  ]);
});

it('takes over after the process that started it was killed with -9', async () => {
  const starter = spawnTypescript('start-postgres', [dataDirectory]);
  const orphan = (await starter.firstLine) as { pid: number; port: number };
  const password = (await readFile(join(dataDirectory, 'password'), 'utf8')).trim();
  const url = `postgresql://postgres:${password}@127.0.0.1:${orphan.port}/postgres`;
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS answer');
  starter.child.kill('SIGKILL');
  await starter.exitCode;
  expect(await readProcess(orphan.pid)).toBeDefined();

  const next = await start(dataDirectory, orphan.port);
  expect(await readProcess(orphan.pid)).toBeUndefined();
  expect(next.port).toBe(orphan.port);
  expect(await query(next.url('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 7 }]);
  expect(lines.join()).toContain(`stopping process ${orphan.pid}`);
});

it('recovers after PostgreSQL itself was killed with -9', async () => {
  const first = await start();
  await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 7 AS answer');
  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toBe('signal SIGKILL');
  const next = await start();
  expect(await query(next.url('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 7 }]);
});

it('is not misled by a pid file that names another living process', async () => {
  const first = await start();
  const data = await dataOf();
  const content = await readFile(join(data, 'postmaster.pid'), 'utf8');
  await first.stop();
  await writeFile(join(data, 'postmaster.pid'), content.replace(/^\d+/, String(process.pid)));
  const next = await start();
  expect(await query(next.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('does an initdb again that was cut short', async () => {
  await mkdir(join(dataDirectory, 'data.new', 'base'), { recursive: true });
  await writeFile(join(dataDirectory, 'data.new', 'PG_VERSION'), '18\n');
  const server = await start();
  expect(await query(server.url('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('uses the next free port when the wanted one is taken, and says so', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => blocker.once('listening', resolve));
  const taken = (blocker.address() as { port: number }).port;
  try {
    const server = await start(dataDirectory, taken);
    expect(server.port).toBeGreaterThan(taken);
    expect(lines).toContain(`PostgreSQL: port ${taken} is taken, using ${server.port}`);
  } finally {
    blocker.close();
  }
});

it('refuses to begin on data whose password is gone', async () => {
  await (await start()).stop();
  const data = await dataOf();
  await rm(join(dataDirectory, 'password'));
  await expect(start()).rejects.toThrow(/password is missing but there is data/);
  expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
});

// The name is what a skipped test prints.
describe(isRoot ? 'as root' : 'as root (skipped: the tests do not run as root)', () => {
  const itAsRoot = isRoot ? it : it.skip;

  itAsRoot(
    'keeps the data of a clone in a private directory where its server can reach it, and finds it again',
    async () => {
      await chmod(base, 0o700);
      const elsewhere = relocatedDirectory(dataDirectory);
      const first = await start();
      expect(lines.join()).toContain(`the data is kept in ${elsewhere}`);
      await query(first.url('postgres'), 'CREATE TABLE kept AS SELECT 7 AS answer');
      await first.stop();

      const second = await start();
      expect(await query(second.url('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 7 }]);
      await second.stop();

      // The clone was deleted and made anew: what is left of the old one does not come back.
      await rm(dataDirectory, { recursive: true });
      const third = await start();
      expect(third.reused).toBe(false);
      await expect(query(third.url('postgres'), 'SELECT answer FROM kept')).rejects.toThrow(/does not exist/);
    },
  );

  itAsRoot('copies binaries that its server cannot read', async () => {
    const native = await locateBinaries();
    const hidden = join(base, 'package');
    const version = `0.0.0-${process.pid}`;
    await cp(native, join(hidden, 'native'), { recursive: true, verbatimSymlinks: true });
    await writeFile(join(hidden, 'package.json'), JSON.stringify({ name: '@embedded-postgres/test', version }));
    await chmod(hidden, 0o700);
    const user = await findServerUser(onProgress);
    const location = await chooseLocation(dataDirectory, join(hidden, 'native'), user, onProgress);
    try {
      expect(location.binaries.startsWith(hidden)).toBe(false);
      const { stdout } = await promisify(execFile)(join(location.binaries, 'bin', 'postgres'), ['--version'], {
        ...user,
        cwd: '/',
      });
      expect(stdout).toContain('PostgreSQL) 18');
    } finally {
      await rm(join(location.binaries, '..'), { recursive: true });
    }
  });
});

/** PostgreSQL's own directory, wherever it was placed. */
async function dataOf(): Promise<string> {
  const user = await findServerUser(onProgress);
  return (await chooseLocation(dataDirectory, await locateBinaries(), user, onProgress)).data;
}
