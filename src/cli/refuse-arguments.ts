import { storeNames } from '../embedded/store-names.js';
import { ConfigError } from '../errors.js';

/**
 * A mistyped option must not be dropped: the command would do something else than what was asked for.
 *
 * @param rest What is left of a command's arguments.
 * @param known Those of them that it takes.
 * @param taken Options that were taken out before, with their values.
 * @throws ConfigError naming all others.
 */
export function refuseArguments(
  rest: readonly string[],
  known: readonly string[] = [],
  taken: readonly string[] = [`--store ${storeNames.join('|')}`],
): void {
  const unknown = rest.filter(argument => !known.includes(argument));
  if (unknown.length === 0) return;
  const takes = [...taken, ...known].join(' and ') || 'no arguments';
  throw new ConfigError([`unknown: ${unknown.map(argument => `"${argument}"`).join(', ')}; this takes ${takes}`]);
}
