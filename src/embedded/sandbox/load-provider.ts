import { format } from 'node:util';
import type * as oidc from 'oidc-provider';

/**
 * Loads oidc-provider without the notice it prints on a runtime it does not list (it runs on Node 20 nonetheless).
 * Only lines of its own are dropped; what others warn of meanwhile passes through.
 *
 * The import is dynamic because the notice is printed while the module loads.
 */
export async function loadProvider(): Promise<typeof oidc> {
  /* eslint-disable no-console -- the notice goes through console.warn and has no switch */
  const warn = console.warn;
  console.warn = (...args: unknown[]) => {
    if (!format(...args).includes('oidc-provider WARNING: Unsupported runtime')) warn(...args);
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
  /* eslint-enable no-console */
}
