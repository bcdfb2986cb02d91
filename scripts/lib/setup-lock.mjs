/**
 * One set-up at a time per clone. The claims work as in src/embedded/single-instance.ts, which is not built yet when this
 * runs: numbered files made by exclusive link, the highest is in force, and the highest is never deleted.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inRoot } from './paths.mjs';

const directory = inRoot('.relink');
const fileOf = number => join(directory, `setup.${number}.json`);

let claim;

/**
 * Notes the command that the set-up is running: killed with -9, a set-up leaves that command behind, still writing, and the
 * next one waits for it.
 */
export function noteCommand(pid) {
  if (claim) replace(claim, { ...describe(process.pid), command: describe(pid) });
}

/** Runs `work` alone; waits, with one line, while another process is at it. */
export async function withSetupLock(work) {
  mkdirSync(directory, { recursive: true });
  claim = await acquire();
  try {
    return await work();
  } finally {
    replace(claim, { released: true });
    claim = undefined;
  }
}

async function acquire() {
  let told = 0;
  for (;;) {
    const numbers = listNumbers();
    const highest = numbers.at(-1) ?? 0;
    const holder = highest === 0 ? undefined : readHolder(highest);
    const busy = [holder, holder?.command].find(one => one?.pid && startOf(one.pid) === one.startedAt);
    if (busy) {
      if (told !== busy.pid) console.error(`setup: waiting for process ${busy.pid}, which is setting up this clone`);
      told = busy.pid;
      await sleep(100);
      continue;
    }
    const own = highest + 1;
    if (!create(fileOf(own))) continue;
    if (listNumbers().some(number => number > own)) {
      rmSync(fileOf(own), { force: true });
      continue;
    }
    for (const number of numbers) rmSync(fileOf(number), { force: true });
    return fileOf(own);
  }
}

function listNumbers() {
  return readdirSync(directory)
    .map(name => Number(/^setup\.(\d+)\.json$/.exec(name)?.[1] ?? 0))
    .filter(number => number > 0)
    .sort((a, b) => a - b);
}

function readHolder(number) {
  try {
    return JSON.parse(readFileSync(fileOf(number), 'utf8'));
  } catch {
    return undefined;
  }
}

/** undefined for a process that is gone; where /proc tells, its start too, since pids are used again. */
function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (err) {
    if (err.code !== 'EPERM') return undefined;
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return 'running';
  }
}

const describe = pid => ({ pid, startedAt: startOf(pid) });

function create(file) {
  const draft = writeDraft(file, describe(process.pid));
  try {
    linkSync(draft, file);
    return true;
  } catch (err) {
    if (err.code === 'EEXIST') return false;
    throw err;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(file, content) {
  renameSync(writeDraft(file, content), file);
}

function writeDraft(file, content) {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(content));
  return draft;
}
