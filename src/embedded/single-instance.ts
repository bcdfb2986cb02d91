/**
 * One running instance per directory, decided by the file system.
 *
 * Claims are files `instance.<n>.json`; the highest number is the claim in force. A claim is made by hard-linking a
 * complete file to the next number, which exactly one process can do. The highest file is never deleted, not even by
 * release (it is marked instead), so a process that looked a while ago and acts now meets either a taken number or,
 * looking once more after its own link, a higher one. A lock that is removed and made again would let two in.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readProcess } from './process/read-process.js';

interface Claim {
  readonly pid: number;
  readonly startedAt: string;
  readonly address?: string;
  readonly released?: boolean;
}

export interface InstanceLock {
  readonly acquired: true;
  /** What a second start is told, for example the URL of the running service. */
  setAddress(address: string): Promise<void>;
  release(): Promise<void>;
}

export interface InstanceHeld {
  readonly acquired: false;
  readonly pid: number;
  /** Absent while the other one is still starting. */
  readonly address?: string;
  /** One plain sentence for the terminal. */
  readonly message: string;
}

/**
 * Takes the lock of `directory` (made when absent), or reports who holds it. A holder that is gone, also by kill -9 or a
 * reboot, is replaced; its pid being in use by another process does not count as alive.
 *
 * @throws Error when the directory cannot be written
 */
export async function acquireInstanceLock(directory: string): Promise<InstanceLock | InstanceHeld> {
  await mkdir(directory, { recursive: true });
  const self = await readProcess(process.pid);
  if (!self) throw new Error('This process cannot read its own entry in the process table.');
  const mine: Claim = { pid: self.pid, startedAt: self.startedAt };
  for (;;) {
    const numbers = await listClaims(directory);
    const highest = numbers.at(-1) ?? 0;
    const holder = highest === 0 ? undefined : await readClaim(fileOf(directory, highest));
    if (holder && (await isHeld(holder))) return describeHolder(directory, holder);
    if (!(await createExclusively(fileOf(directory, highest + 1), mine))) continue;

    const after = await listClaims(directory);
    if (after.some(number => number > highest + 1)) {
      await rm(fileOf(directory, highest + 1), { force: true });
      continue;
    }
    await Promise.all(numbers.map(number => rm(fileOf(directory, number), { force: true })));
    return lockOn(fileOf(directory, highest + 1), mine);
  }
}

function lockOn(file: string, claim: Claim): InstanceLock {
  let current = claim;
  const write = async (change: Partial<Claim>) => {
    current = { ...current, ...change };
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(current));
    await rename(draft, file);
  };
  return {
    acquired: true,
    setAddress: address => write({ address }),
    release: () => write({ released: true }),
  };
}

function describeHolder(directory: string, { pid, address }: Claim): InstanceHeld {
  const where = address === undefined ? 'it is still starting' : `at ${address}`;
  return {
    acquired: false,
    pid,
    ...(address === undefined ? {} : { address }),
    message: `Relink is already running on ${directory}: process ${pid}, ${where}.`,
  };
}

const fileOf = (directory: string, number: number) => join(directory, `instance.${number}.json`);

async function listClaims(directory: string): Promise<number[]> {
  const numbers = (await readdir(directory)).flatMap(name => {
    const match = /^instance\.(\d+)\.json$/.exec(name);
    return match ? [Number(match[1])] : [];
  });
  return numbers.sort((a, b) => a - b);
}

/** `undefined` for a claim that was replaced since it was listed, or that nobody can read. */
async function readClaim(file: string): Promise<Claim | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Claim;
  } catch {
    return undefined;
  }
}

async function isHeld(claim: Claim): Promise<boolean> {
  if (claim.released) return false;
  return (await readProcess(claim.pid))?.startedAt === claim.startedAt;
}

async function createExclusively(file: string, claim: Claim): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(claim));
  try {
    await link(draft, file);
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw err;
  } finally {
    await rm(draft, { force: true });
  }
}
