import { ConfigError } from '../errors.js';
import { type StoreName, storeNames } from '../embedded/store-names.js';

/**
 * Takes `--store postgres|mongo|documentdb` out of a command's arguments; `postgres` without it.
 *
 * @throws ConfigError for any other name.
 */
export function readStoreName(args: readonly string[]): {
  readonly store: StoreName;
  readonly rest: readonly string[];
} {
  const at = args.findIndex(argument => argument === '--store' || argument.startsWith('--store='));
  if (at === -1) return { store: 'postgres', rest: args };
  const joined = args[at]?.startsWith('--store=') === true;
  const name = joined ? args[at]?.slice('--store='.length) : args[at + 1];
  const store = storeNames.find(known => known === name);
  if (store === undefined)
    throw new ConfigError([`--store must be one of ${storeNames.join(', ')}, not "${name ?? ''}"`]);
  return { store, rest: args.filter((_, place) => place !== at && (joined || place !== at + 1)) };
}
