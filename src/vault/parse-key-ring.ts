import { createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '../config.js';
import type { KeyRing } from './key-ring.js';
import type { Secret } from './secret.js';

/** AES-256 (NIST FIPS 197). */
export const keyBytes = 32;

/** Free of the separators of the ring (`,` and `:`) and of sealed text (`.`). */
const keyIdForm = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * Reads `RELINK_KEYS`: `<key id>:<base64 of 32 bytes>`, comma-separated, the newest first. To rotate, put a new key in
 * front and keep the old ones until nothing is sealed under them.
 *
 * @throws ConfigError that names the position of each faulty entry, never its text.
 */
export function parseKeyRing(value: Secret): KeyRing {
  const entries = value.reveal().split(',');
  const problems: string[] = [];
  const keys = new Map<string, KeyObject>();
  for (const [index, entry] of entries.entries()) {
    const place = `RELINK_KEYS, key ${index + 1} of ${entries.length},`;
    const [keyId = '', encoded, ...rest] = entry.trim().split(':');
    // Not even the id is repeated in a message: in a malformed entry it may be the key.
    if (encoded === undefined || rest.length > 0 || !keyIdForm.test(keyId)) {
      problems.push(`${place} must read <key id>:<base64 of ${keyBytes} bytes>, the id of 1 to 32 of A-Z a-z 0-9 _ -`);
      continue;
    }
    const bytes = decodeKey(encoded);
    if (bytes === null) problems.push(`${place} must be the base64 of ${keyBytes} bytes`);
    else if (keys.has(keyId)) problems.push(`${place} repeats the id of an earlier key`);
    else keys.set(keyId, createSecretKey(bytes));
  }
  const [newestKeyId] = keys.keys();
  if (problems.length > 0 || newestKeyId === undefined) throw new ConfigError(problems);
  return { newestKeyId, keys };
}

/** Node's decoder skips what it does not know, so that a mistyped key would silently become another one. */
function decodeKey(encoded: string): Buffer | null {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === keyBytes && bytes.toString('base64') === encoded ? bytes : null;
}
