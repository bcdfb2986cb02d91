import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './paths.mjs';

/** All files below the given files and folders of the repository, as sorted paths relative to its root. */
export function listFiles(...entries) {
  return entries
    .filter(entry => existsSync(inRoot(entry)))
    .flatMap(entry => (statSync(inRoot(entry)).isDirectory() ? listFolder(entry) : [entry]))
    .sort();
}

function listFolder(folder) {
  return readdirSync(inRoot(folder), { withFileTypes: true }).flatMap(item => {
    const path = join(folder, item.name);
    if (item.isDirectory()) return listFolder(path);
    return item.isFile() ? [path] : [];
  });
}

/** A hash over names and contents, and over anything else that decides about the result. */
export function hashFiles(files, ...more) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(inRoot(file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.update(JSON.stringify(more)).digest('hex');
}
