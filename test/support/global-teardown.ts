// For the type of the global only; the module is already loaded.
import type {} from './global-setup.js';

/** Stops what global-setup.ts started. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.relinkTestServers?.stop();
}
