import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporalCli } from '../../src/embedded/find-temporal-cli.js';
import { spawnTypescript } from '../support/spawn-typescript.js';

const realCli = process.env['RELINK_TEST_TEMPORAL_CLI'] ?? '';
let base: string;
let tools: string;
let emptyPath: string;

/** In a process of its own, whose PATH is ours to choose. */
const find = (sources: readonly string[], path = emptyPath) =>
  spawnTypescript('find-cli', [tools, realCli, ...sources], path).firstLine;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'relink-cli-'));
  tools = join(base, 'tools');
  emptyPath = join(base, 'path');
  await mkdir(emptyPath);
});

afterEach(() => rm(base, { recursive: true, force: true }));

it('prefers the configured file, and refuses one that is not the CLI', async () => {
  const onProgress = () => undefined;
  expect(await findTemporalCli({ configuredPath: realCli, toolsDirectory: tools, onProgress })).toMatchObject({
    path: realCli,
  });
  await expect(
    findTemporalCli({ configuredPath: process.execPath, toolsDirectory: tools, onProgress }),
  ).rejects.toThrow(/configured Temporal CLI .* is not the Temporal CLI/);
  await expect(
    findTemporalCli({ configuredPath: join(base, 'none'), toolsDirectory: tools, onProgress }),
  ).rejects.toThrow(/none does not exist/);
});

it('takes the one on PATH without installing', async () => {
  await symlink(realCli, join(emptyPath, 'temporal'));
  expect(await find(['refuses'])).toMatchObject({ path: join(emptyPath, 'temporal'), lines: [] });
});

it('passes over an old one on PATH, installs, and finds the installed one again', async () => {
  const old = join(emptyPath, 'temporal');
  await writeFile(old, '#!/bin/sh\necho "temporal version 1.4.0 (Server 1.28.0, UI 2.38.0)"\n');
  await chmod(old, 0o755);
  const installed = join(tools, 'temporal-cli-1.9.1', 'bin', 'temporal');
  expect(await find(['works'])).toMatchObject({
    path: installed,
    lines: [expect.stringContaining('is 1.4.0, older than 1.9.0'), 'Temporal CLI: installing 1.9.1 from works'],
  });
  expect(await find([])).toMatchObject({ path: installed });
});

it('goes on to the next source when one fails or brings nothing usable', async () => {
  expect(await find(['refuses', 'empty', 'broken', 'works'])).toMatchObject({
    path: join(tools, 'temporal-cli-1.9.1', 'bin', 'temporal'),
  });
  expect(await readdir(tools)).toEqual(['temporal-cli-1.9.1']);
});

it('lists what was tried and what to do when nothing works', async () => {
  const { error } = (await find(['refuses', 'broken'])) as { error: string };
  expect(error).toContain('PATH: no "temporal" there');
  expect(error).toContain('refuses: no route to host');
  expect(error).toMatch(/broken: the installed file does not run/);
  expect(error).toContain('set TEMPORAL_ADDRESS');
});

it('lets two processes install at once', async () => {
  const both = await Promise.all([find(['copies']), find(['copies'])]);
  const path = join(tools, 'temporal-cli-1.9.1', 'bin', 'temporal');
  expect(both).toEqual([expect.objectContaining({ path }), expect.objectContaining({ path })]);
  expect(await readdir(tools)).toEqual(['temporal-cli-1.9.1']);
});
