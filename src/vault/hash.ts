import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** SHA-256 of the UTF-8 text, as 64 hexadecimal digits. */
export function sha256Hex(value: string): string {
  return createHash('sha256').update(value, 'utf8').digest('hex');
}

/** Compares in a time that tells neither where two texts differ nor how long they are. */
export function equalsConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(a)), Buffer.from(sha256Hex(b)));
}

/** A random token in base64url: 43 characters for the default of 32 bytes (256 bits). */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
