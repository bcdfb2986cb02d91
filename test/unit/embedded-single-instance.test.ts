import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireInstanceLock } from '../../src/embedded/single-instance.js';
import { spawnTypescript, type TypescriptProcess } from '../support/spawn-typescript.js';

let directory: string;
const started: TypescriptProcess[] = [];
const take = (address: string) => {
  const taker = spawnTypescript('take-instance-lock', [directory, address]);
  started.push(taker);
  return taker;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relink-lock-'));
});

afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

it('tells a second start who is running and where, and takes over after a kill -9', async () => {
  const holder = take('http://127.0.0.1:1234');
  expect(await holder.firstLine).toEqual({ acquired: true });
  const { pid } = holder.child;
  expect(await acquireInstanceLock(directory)).toEqual({
    acquired: false,
    pid,
    address: 'http://127.0.0.1:1234',
    message: `Relink is already running on ${directory}: process ${pid}, at http://127.0.0.1:1234.`,
  });

  holder.child.kill('SIGKILL');
  await holder.exitCode;
  const taken = await acquireInstanceLock(directory);
  expect(taken).toMatchObject({ acquired: true });
  expect(await acquireInstanceLock(directory)).toMatchObject({ acquired: false, pid: process.pid });
});

it('lets exactly one of many processes take over a dead lock', async () => {
  const dead = take('http://127.0.0.1:1');
  await dead.firstLine;
  dead.child.kill('SIGKILL');
  await dead.exitCode;
  const answers = await Promise.all(Array.from({ length: 6 }, () => take('http://127.0.0.1:2').firstLine));
  expect(answers.filter(answer => (answer as { acquired: boolean }).acquired)).toHaveLength(1);
});

it('lets exactly one win of many attempts that meet at each step', async () => {
  for (let round = 0; round < 20; round++) {
    const locks = await Promise.all(Array.from({ length: 8 }, () => acquireInstanceLock(directory)));
    const winners = locks.flatMap(lock => (lock.acquired ? [lock] : []));
    expect(winners).toHaveLength(1);
    await winners[0]?.release();
  }
  expect(await readdir(directory)).toHaveLength(1);
});

it('does not take another process with the same pid for the holder', async () => {
  await writeFile(join(directory, 'instance.4.json'), JSON.stringify({ pid: process.pid, startedAt: 'earlier' }));
  expect(await acquireInstanceLock(directory)).toMatchObject({ acquired: true });
});

it('takes over a lock file that a power cut left empty', async () => {
  await writeFile(join(directory, 'instance.1.json'), '');
  expect(await acquireInstanceLock(directory)).toMatchObject({ acquired: true });
});
