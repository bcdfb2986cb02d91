import type { KeyObject } from 'node:crypto';

/**
 * The keys that seal and open. Everything new is sealed under `newestKeyName`; the others only open what they sealed.
 * The keys are opaque to printers and serialisers.
 */
export interface KeyRing {
  readonly newestKeyName: string;
  /** By key name: 256-bit secret keys. */
  readonly keys: ReadonlyMap<string, KeyObject>;
}
