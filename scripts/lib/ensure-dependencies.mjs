import { basename } from 'node:path';
import { inRoot } from './paths.mjs';
import { hashFiles } from './hash-files.mjs';
import { runQuietly } from './run-quietly.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const stampFile = inRoot('node_modules', '.relink-stamp.json');

/**
 * `npm ci` when node_modules is not what package-lock.json says for this platform. The stamp lies inside node_modules, so
 * it goes with it. Where somebody used `npm install` by hand, npm's own record of what it put there is compared instead.
 */
export async function ensureDependencies() {
  const wanted = {
    lock: hashFiles(['package-lock.json']),
    platform: `${process.platform}-${process.arch}`,
  };
  const stamp = readStamp(stampFile);
  if (stamp?.lock === wanted.lock && stamp.platform === wanted.platform) return;

  const samePlatform = stamp === undefined || stamp.platform === wanted.platform;
  if (!(samePlatform && holdsWhatLockSays())) {
    // Development packages belong to it even where the environment says production: they hold the compiler.
    const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    await runQuietly('installing dependencies (npm ci)', ...npm(args));
  }
  writeStamp(stampFile, wanted);
}

/** The npm that runs this script, else the one on PATH. */
function npm(args) {
  const { npm_execpath: running } = process.env;
  return basename(running ?? '') === 'npm-cli.js' ? [process.execPath, [running, ...args]] : ['npm', args];
}

/** npm writes node_modules/.package-lock.json at the end of a complete installation. */
function holdsWhatLockSays() {
  const locked = readStamp(inRoot('package-lock.json'))?.packages ?? {};
  const present = readStamp(inRoot('node_modules', '.package-lock.json'))?.packages;
  if (present === undefined) return false;
  const paths = Object.keys(locked).filter(path => path !== '');
  const complete = paths.every(path => {
    const found = present[path];
    if (found === undefined) return locked[path].optional === true || locked[path].devOptional === true;
    return found.version === locked[path].version && found.integrity === locked[path].integrity;
  });
  return complete && Object.keys(present).every(path => locked[path] !== undefined);
}
