import { parseArgs } from 'node:util';

const allParts = ['intake', 'sustained', 'latency', 'drain', 'release'] as const;
export type Part = (typeof allParts)[number];

/**
 * Reads `--parts a,b` from the command's arguments; all parts without it.
 *
 * @throws Error with one plain sentence, for a part that does not exist and for unknown options.
 */
export function parseParts(args: readonly string[]): ReadonlySet<Part> {
  const { values } = parseArgs({
    args: [...args],
    options: { parts: { type: 'string', default: allParts.join(',') } },
  });
  return new Set(
    values.parts.split(',').map(name => {
      const part = allParts.find(known => known === name);
      if (part === undefined) throw new Error(`--parts takes ${allParts.join(', ')}; there is no "${name}"`);
      return part;
    }),
  );
}
