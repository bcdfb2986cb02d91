import { type Config, type Environment, loadConfig, peekSettings } from './config.js';
import { ConfigError } from './errors.js';
import { parseReturnUrlRules } from './http/operations/return-urls.js';
import { loadIntegrations } from './integrations/load-integrations.js';
import { loadProviders } from './providers/load-providers.js';
import { loadTemporalSettings, type TemporalSettings } from './temporal/connect-client.js';
import { parseKeyRing } from './vault/parse-key-ring.js';

export interface Settings {
  readonly config: Config;
  readonly temporal: TemporalSettings;
}

/**
 * Reads all settings of a process and has every part that reads one further look at it, so that whoever sets up a
 * machine learns of all problems at once and not one a start.
 *
 * @throws ConfigError with one line for each problem.
 */
export function loadSettings(environment: Environment): Settings {
  const problems: string[] = [];
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = collect(() => loadConfig(environment));
  const { keys, returnUrls, integrations, providers } = peekSettings(environment);
  if (keys !== undefined) collect(() => parseKeyRing(keys));
  if (returnUrls !== undefined) collect(() => parseReturnUrlRules(returnUrls));
  collect(() => loadIntegrations(integrations));
  collect(() => loadProviders(providers));
  const temporal = collect(() => readTemporal(environment));
  if (config === undefined || temporal === undefined || problems.length > 0) throw new ConfigError(problems);
  return { config, temporal };
}

/** What @temporalio/envconfig throws names keys and files, and never a value. */
function readTemporal(environment: Environment): TemporalSettings {
  try {
    return loadTemporalSettings(environment);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : '').split('\n');
    throw new ConfigError([`TEMPORAL_*, or the profile file they name, cannot be used: ${reason}`]);
  }
}
