import { createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '../errors.js';
import type { KeyRing } from './key-ring.js';
import type { Secret } from './secret.js';

/** AES-256 (NIST FIPS 197). */
export const keyBytes = 32;

/** Free of the separators of the ring (`,` and `:`) and of sealed text (`.`). */
export const keyNameForm = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * Reads `RELINK_KEYS`: `<name>:<base64 of 32 bytes>`, comma-separated, the newest first. To rotate, put a new key in front and
 * keep the old ones as long as anything is sealed under them: re-sealing does not exist yet.
 *
 * @throws ConfigError that names the position of each faulty entry, never its text.
 */
export function parseKeyRing(value: Secret): KeyRing {
  const entries = value.reveal().split(',');
  const problems: string[] = [];
  const keys = new Map<string, KeyObject>();
  for (const [index, entry] of entries.entries()) {
    const place = `RELINK_KEYS, key ${index + 1} of ${entries.length},`;
    const [keyName = '', encoded, ...rest] = entry.trim().split(':');
    // Not even the name is repeated in a message: in a malformed entry it may be the key.
    if (encoded === undefined || rest.length > 0 || !keyNameForm.test(keyName)) {
      problems.push(
        `${place} must read <name>:<base64 of ${keyBytes} bytes>, the key name of 1 to 32 of A-Z a-z 0-9 _ -`,
      );
      continue;
    }
    const bytes = decodeKey(encoded);
    if (bytes === null) problems.push(`${place} must be the base64 of ${keyBytes} bytes`);
    else if (keys.has(keyName)) problems.push(`${place} repeats the name of an earlier key`);
    else keys.set(keyName, createSecretKey(bytes));
  }
  const [newestKeyName] = keys.keys();
  if (problems.length > 0 || newestKeyName === undefined) throw new ConfigError(problems);
  return { newestKeyName, keys };
}

/** Node's decoder skips what it does not know, so that a mistyped key would silently become another one. */
function decodeKey(encoded: string): Buffer | null {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === keyBytes && bytes.toString('base64') === encoded ? bytes : null;
}
