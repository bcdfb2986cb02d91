import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { root } from './paths.mjs';

/**
 * Runs a Node program with our terminal, hands it the signals we get, and resolves with the exit code that we should end
 * with (128 + n for signal n, as a shell does).
 *
 * @param {string[]} args what follows `node`
 */
export function runProgram(args) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

    const stopWatching = watchNpm(() => child.kill('SIGTERM'));
    child.on('error', err => {
      console.error(`${process.execPath} cannot be run: ${err.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      stopWatching();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * Killed with -9, npm passes nothing on; what it started would run on unseen. Between npm and us there may be the shell
 * that npm runs scripts with, which would not notice either.
 */
function watchNpm(onEnd) {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const before = ancestry();
  const timer = setInterval(() => {
    if (ancestry() === before) return;
    clearInterval(timer);
    onEnd();
  }, 500);
  return () => clearInterval(timer);
}

/** Our parent, and its own parent where the parent is a shell running one command. */
function ancestry() {
  const parent = process.ppid;
  try {
    const [shell, flag] = readFileSync(`/proc/${parent}/cmdline`, 'utf8').split('\0');
    if (!/sh$/.test(shell) || flag !== '-c') return `${parent}`;
    const fields = readFileSync(`/proc/${parent}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${parent} ${fields[1]}`;
  } catch {
    // No /proc (macOS): its shell replaces itself by the command, so that npm is the parent.
    return `${parent}`;
  }
}
