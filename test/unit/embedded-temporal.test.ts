import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { findProcesses } from '../../src/embedded/process/find-processes.js';
import { readProcess, type RunningProcess } from '../../src/embedded/process/read-process.js';
import { recoverOrphan } from '../../src/embedded/temporal/recover-orphan.js';
import {
  startEmbeddedTemporal,
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
} from '../../src/embedded/temporal/start-embedded-temporal.js';
import { spawnTypescript } from '../support/spawn-typescript.js';
import { report } from '../support/test-servers.js';

const cliPath = process.env['RELINK_TEST_TEMPORAL_CLI'] ?? '';
const lines: string[] = [];
const onProgress = (line: string) => void lines.push(line);
const toStop: EmbeddedTemporal[] = [];
let base: string;
let databaseFile: string;

const start = async (options: Partial<EmbeddedTemporalOptions> = {}) => {
  const searchAttributes = { IntegrationId: 'Keyword' } as const;
  const server = await startEmbeddedTemporal({
    ...{ cliPath, databaseFile, searchAttributes, headless: true, onProgress },
    ...options,
  });
  toStop.push(server);
  return server;
};

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

beforeEach(async () => {
  lines.length = 0;
  base = await mkdtemp(join(tmpdir(), 'relink-embedded-'));
  databaseFile = join(base, 'temporal.db');
});

afterEach(async () => {
  await Promise.all(toStop.splice(0).map(server => server.stop()));
  await recoverOrphan(databaseFile, onProgress);
  await rm(base, { recursive: true, force: true });
});

it('takes over after the process that started it was killed with -9, with its workflows', async () => {
  const starter = spawnTypescript('start-temporal', [cliPath, databaseFile]);
  const orphan = (await starter.firstLine) as { pid: number; address: string };
  await withClient(orphan.address, client =>
    client.workflow.start('waits', { workflowId: 'kept/1', taskQueue: 'nobody-listens' }),
  );
  starter.child.kill('SIGKILL');
  await starter.exitCode;
  expect(await readProcess(orphan.pid)).toBeDefined();

  const port = Number(orphan.address.split(':')[1]);
  const next = await start({ port });
  expect(await readProcess(orphan.pid)).toBeUndefined();
  expect(lines).toEqual([`Temporal: stopping process ${orphan.pid}, left behind by a start that was killed`]);
  expect(next.address).toBe(orphan.address);
  await withClient(next.address, async client => {
    expect((await client.workflow.getHandle('kept/1').describe()).status.name).toBe('RUNNING');
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(customAttributes ?? {})).toContain('IntegrationId');
  });

  await next.stop();
  expect(await readProcess(next.pid)).toBeUndefined();
});

it('serves its UI, and takes the next free port where the wanted one is taken', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => blocker.once('listening', resolve));
  const taken = (blocker.address() as { port: number }).port;
  try {
    const server = await start({ headless: false, port: taken });
    expect(server.address).not.toBe(`127.0.0.1:${taken}`);
    expect(lines[0]).toBe(`Temporal: port ${taken} is taken, using ${server.address.split(':')[1]}`);
    expect((await fetch(`${server.uiUrl}/`)).status).toBe(200);
  } finally {
    blocker.close();
  }
});

it('finds the server of a start that was killed before it knew of it', async () => {
  const ours = (commandLine: string) => commandLine.includes(` --db-filename ${databaseFile} `);
  const starter = spawnTypescript('start-temporal', [cliPath, databaseFile]);
  const saysNothing = expect(starter.firstLine).rejects.toThrow(/without a word/);
  let found: RunningProcess[] = [];
  while (found.length === 0 && starter.child.exitCode === null) found = await findProcesses(ours);
  starter.child.kill('SIGKILL');
  await saysNothing;
  const [orphan] = await findProcesses(ours);
  expect(orphan).toBeDefined();

  await start();
  expect(lines).toEqual([`Temporal: stopping process ${orphan?.pid}, left behind by a start that was killed`]);
  expect(await readProcess(orphan?.pid ?? 0)).toBeUndefined();
  expect(await findProcesses(ours)).toHaveLength(1);
});

describe('leaves alone', () => {
  const kept: { readonly child: ChildProcess; readonly closed: Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const { child, closed } of kept.splice(0)) {
      child.kill('SIGKILL');
      await closed;
    }
  });

  /** A process that does nothing, with these arguments, until the test is over. */
  async function keep(args: readonly string[], cwd: string): Promise<number> {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
    kept.push({ child, closed: once(child, 'close') });
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  }
  const idle = 'console.log(); setInterval(() => undefined, 1000)';
  const argumentsFor = (file: string) => ['server', 'start-dev', '--db-filename', file, '--ip', '127.0.0.1'];

  it('the server of another file, and whoever merely speaks of this one', async () => {
    await writeFile(join(base, 'server'), idle);
    const pids = [
      await keep(argumentsFor(`${databaseFile}.other`), base),
      await keep(['--eval', idle, 'x', ...argumentsFor(databaseFile)], base),
    ];
    await recoverOrphan(databaseFile, onProgress);
    expect(lines).toEqual([]);
    for (const pid of pids) expect(await readProcess(pid)).toBeDefined();
  });

  if (process.platform !== 'linux') report('NOT TESTED: another file by the same path: /proc is only on Linux');
  (process.platform === 'linux' ? it : it.skip)('one that calls another file by the same path', async () => {
    await writeFile(join(base, 'server'), idle);
    const elsewhere = await mkdtemp(join(base, 'elsewhere-'));
    await writeFile(join(elsewhere, 'server'), idle);
    const [ours, another] = [
      await keep(argumentsFor(databaseFile), base),
      await keep(argumentsFor(databaseFile), elsewhere),
    ];
    await recoverOrphan(databaseFile, onProgress);
    expect(lines).toEqual([`Temporal: stopping process ${ours}, left behind by a start that was killed`]);
    expect(await readProcess(another)).toBeDefined();
  });
});

it('says what is wrong when the server does not come up', async () => {
  await expect(
    start({ searchAttributes: { 'not a name': 'Keyword' }, cliPath: join(base, 'nowhere') }),
  ).rejects.toThrow(/ENOENT/);
  await expect(start({ databaseFile: join(base, '.') })).rejects.toThrow(/did not start \(exit code 1\)/);
});
