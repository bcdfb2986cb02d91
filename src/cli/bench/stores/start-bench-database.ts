import { randomBytes } from 'node:crypto';
import { startEmbeddedDatabase } from '../../../embedded/start-embedded-database.js';
import type { StoreName } from '../../../embedded/store-names.js';
import { dropMongoDatabase } from './drop-mongo-database.js';

export interface BenchDatabase {
  readonly url: string;
  readonly label: string;
  stop(): Promise<void>;
}

export interface BenchPlace {
  readonly directory: string;
  readonly toolsDirectory: string;
  readonly mongodbUrl: string | undefined;
}

/** An empty database: embedded, or for `mongo` one of its own on the server of MONGODB_URL. Null where there is none to be had. */
export async function startBenchDatabase(
  store: StoreName,
  place: BenchPlace,
  say: (line: string) => void,
): Promise<BenchDatabase | null> {
  if (store === 'mongo' && place.mongodbUrl !== undefined) {
    const url = new URL(place.mongodbUrl);
    url.pathname = `/relink_bench_${randomBytes(4).toString('hex')}`;
    return { url: url.href, label: 'the server of MONGODB_URL', stop: () => dropMongoDatabase(url.href) };
  }
  try {
    return await startEmbeddedDatabase({ store, ...place, onProgress: line => say(`  ${line}`) });
  } catch (error) {
    if (store === 'postgres') throw error;
    say(`NOT MEASURED: ${store}: ${error instanceof Error ? error.message : 'unknown error'}`);
    return null;
  }
}
