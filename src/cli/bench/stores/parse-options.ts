import { parseArgs } from 'node:util';
import { storeNames, type StoreName } from '../../../embedded/store-names.js';
import { ConfigError } from '../../../errors.js';

export interface BenchStoresOptions {
  /** Everything, but small: seconds instead of minutes, and figures that mean little. */
  readonly quick: boolean;
  readonly stores: readonly StoreName[];
}

/**
 * Reads `--quick` and `--stores postgres,mongo,documentdb`; all stores without it.
 *
 * @throws ConfigError for a name that no store has.
 */
export function parseBenchStores(args: readonly string[]): BenchStoresOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean', default: false }, stores: { type: 'string' } },
  });
  const named = values.stores?.split(',') ?? [...storeNames];
  const stores = storeNames.filter(name => named.includes(name));
  const unknown = named.filter(name => !stores.some(known => known === name));
  if (unknown.length > 0 || stores.length === 0) {
    throw new ConfigError([`--stores takes ${storeNames.join(', ')}, separated by commas, not "${values.stores}"`]);
  }
  return { quick: values.quick, stores };
}
