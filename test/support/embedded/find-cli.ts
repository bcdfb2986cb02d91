import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findTemporalCli, type CliSource } from '../../../src/embedded/find-temporal-cli.js';

/**
 * find-cli <tools directory> <real CLI> <source>…: what a source does stands in its name: "works" puts the real CLI into
 * place, "empty" nothing, "broken" a file that is no program, "refuses" throws.
 */
async function main(): Promise<void> {
  const [, , toolsDirectory = '', realCli = '', ...names] = process.argv;
  const install: Record<string, (file: string) => Promise<void>> = {
    works: file => symlink(realCli, file),
    copies: file => cp(realCli, file),
    empty: async () => undefined,
    broken: file => writeFile(file, 'not a program', { mode: 0o755 }),
    refuses: () => Promise.reject(new Error('no route to host')),
  };
  const sources = names.map(
    (name): CliSource => ({
      name,
      install: async directory => {
        const file = join(directory, 'bin', 'temporal');
        await mkdir(dirname(file), { recursive: true });
        await install[name]?.(file);
      },
    }),
  );
  const lines: string[] = [];
  try {
    const found = await findTemporalCli({ toolsDirectory, sources, onProgress: line => lines.push(line) });
    process.stdout.write(`${JSON.stringify({ ...found, lines })}\n`);
  } catch (err) {
    process.stdout.write(`${JSON.stringify({ error: String(err), lines })}\n`);
  }
}

void main();
