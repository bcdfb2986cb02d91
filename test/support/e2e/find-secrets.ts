import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A secret by the name under which a finding is reported: the report must not spread it further. */
export type Secrets = ReadonlyMap<string, string>;

/**
 * Looks through the bytes of files for secrets, as they are and in every form in which they could have been written:
 * URL-encoded, in JSON, in hexadecimal, and in base64 at each of the three offsets that a longer text may put them at.
 *
 * @returns One line for each file and secret that were found together.
 */
export async function findSecrets(files: readonly string[], secrets: Secrets): Promise<string[]> {
  const found: string[] = [];
  const needles = [...secrets].map(([name, secret]) => {
    if (secret.length < 8) throw new Error(`${name} is too short to be looked for`);
    return { name, forms: formsOf(secret) };
  });
  for (const file of files) {
    const bytes = await readFile(file);
    for (const { name, forms } of needles) {
      if (forms.some(form => bytes.includes(form))) found.push(`${name} in ${file.split('/').at(-1)}`);
    }
  }
  return found;
}

/** Every file of the folder, not of those below it, that the pattern fits. */
export async function listFiles(directory: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(directory)).filter(name => pattern.test(name)).sort();
  return names.map(name => join(directory, name));
}

export function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const texts = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    ...[0, 1, 2].flatMap(offset => {
      const shifted = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url');
      // The first and the last characters also depend on what stands beside the secret.
      const inner = shifted.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3) - 1);
      return [inner, inner.replaceAll('-', '+').replaceAll('_', '/')];
    }),
  ];
  return [...new Set(texts)].map(text => Buffer.from(text));
}
