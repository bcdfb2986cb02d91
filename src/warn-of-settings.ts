import type { Core } from './compose.js';
import { listUnknownSettings } from './config-unknown.js';
import type { Environment } from './config.js';
import { catalogue } from './providers/catalogue/index.js';

/** Settings that a process starts with, and that are hardly what was meant: one warning for each. */
export function warnOfSettings({ log, providers }: Pick<Core, 'log' | 'providers'>, environment: Environment): void {
  const { unknown, known } = listUnknownSettings(environment);
  if (unknown.length > 0) {
    log.warn(
      { unknown },
      `Ignored, as there are no such settings: ${unknown.join(', ')}. There are: ${known.join(', ')}`,
    );
  }
  if (providers.list().length === 0) {
    const names = [...catalogue.keys()].map(id => id.toUpperCase());
    log.warn(
      `No provider is configured, so nothing can be connected. Set RELINK_PROVIDER_<NAME>_CLIENT_ID and RELINK_PROVIDER_<NAME>_CLIENT_SECRET; <NAME> is one of ${names.join(', ')}`,
    );
  }
}
