import { keyNameForm } from './parse-key-ring.js';

/** The name of the key that a text was sealed under, which is no secret; null when it is no sealed text. */
export function readKeyName(sealed: string): string | null {
  const [, name = ''] = sealed.split('.');
  return keyNameForm.test(name) ? name : null;
}
