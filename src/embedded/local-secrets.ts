import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { generateKey } from '../vault/generate-key.js';

const secretsSchema = z.object({
  apiKey: z.string(),
  keyRing: z.string(),
  sandboxControlKey: z.string(),
  sandboxClientSecret: z.string(),
});

/** The secrets of an embedded stack. Plain strings: they only ever become settings of the processes it starts. */
export type LocalSecrets = z.infer<typeof secretsSchema>;

/** Reads `secrets.json` (mode 0600) of the directory, or makes it at the first start. */
export async function readOrMakeLocalSecrets(directory: string): Promise<LocalSecrets> {
  const file = join(directory, 'secrets.json');
  try {
    const secrets = secretsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    await chmod(file, 0o600);
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(
        `${file} is damaged. Without its key nothing sealed in this directory can be opened: restore it, or remove the whole directory to start afresh.`,
      );
    }
  }
  const secrets: LocalSecrets = {
    apiKey: `rlk_${randomBytes(24).toString('base64url')}`,
    keyRing: generateKey().reveal(),
    sandboxControlKey: randomBytes(24).toString('base64url'),
    sandboxClientSecret: randomBytes(24).toString('base64url'),
  };
  await mkdir(directory, { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  await rename(draft, file);
  return secrets;
}
