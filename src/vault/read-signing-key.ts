import type { Secret } from './secret.js';

const prefix = 'whsec_';

/** The bytes of a secret of Standard Webhooks, `whsec_` and the base64 of 24 to 64 bytes; null of anything else. */
export function readSigningKey(secret: Secret): Buffer | null {
  const text = secret.reveal();
  if (!text.startsWith(prefix) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text.slice(prefix.length))) return null;
  const key = Buffer.from(text.slice(prefix.length), 'base64');
  return key.length >= 24 && key.length <= 64 ? key : null;
}
