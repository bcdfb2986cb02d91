import { randomBytes } from 'node:crypto';
import { keyBytes } from './parse-key-ring.js';
import { Secret } from './secret.js';

/** Makes one entry for `RELINK_KEYS`: a random key under a random name. */
export function generateKey(): Secret {
  return new Secret(`k${randomBytes(4).toString('hex')}:${randomBytes(keyBytes).toString('base64')}`);
}
