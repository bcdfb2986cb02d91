import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** `src/embedded/mongo` and `dist/embedded/mongo` lie equally deep. */
const sources = resolve(__dirname, '../../../src/embedded/mongo/server');
const sourceFiles = ['main.go', 'go.mod', 'go.sum'];

/**
 * The embedded MongoDB-compatible server, as an executable: built once from `server/` by `go build` (one to three
 * minutes, then kept in the tools directory for as long as its sources stay the same). Two processes may do this at
 * once: each builds a file of its own, and a rename puts either in place.
 *
 * @returns the absolute path, or why there is none: Go is missing, or the build failed.
 */
export async function findMongoServer(
  toolsDirectory: string,
  onProgress: (line: string) => void,
): Promise<{ readonly path: string } | { readonly problem: string }> {
  const hash = createHash('sha256');
  for (const name of sourceFiles) hash.update(await readFile(join(sources, name)));
  const directory = resolve(toolsDirectory);
  const path = join(directory, `mongo-server-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(path)) return { path };
  const go = promisify(execFile);
  try {
    await go('go', ['version']);
  } catch {
    return { problem: 'it is built with Go (go.dev), and there is no "go" on PATH' };
  }
  await mkdir(directory, { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  onProgress('MongoDB-compatible server: building it, once; this takes a minute or three');
  try {
    await go('go', ['build', '-o', draft, '.'], { cwd: sources });
    await rename(draft, path);
    return { path };
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n').slice(1);
    return { problem: `go build failed: ${line}` };
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
