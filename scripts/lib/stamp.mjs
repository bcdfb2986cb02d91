import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What a finished step noted about itself; undefined when it never finished. */
export function readStamp(file) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Written after everything else and by rename, so that a stamp never stands beside half a result. */
export function writeStamp(file, stamp) {
  writeFileSync(`${file}.new`, JSON.stringify(stamp));
  renameSync(`${file}.new`, file);
}
