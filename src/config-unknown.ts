import { devSettingNames } from './config-dev.js';
import { dropEmpty, type Environment, settingNames } from './config.js';

/**
 * The names that look like settings of ours and are none: mistyped ones would be ignored in silence. Those of providers
 * are not looked at: src/config.ts refuses the unknown ones.
 */
export function listUnknownSettings(environment: Environment): { unknown: string[]; known: readonly string[] } {
  const known = new Set([...settingNames, ...devSettingNames]);
  const unknown = Object.keys(dropEmpty(environment)).filter(
    name => /^RELINK_(?!PROVIDER_)/.test(name) && !known.has(name),
  );
  return { unknown, known: settingNames };
}
