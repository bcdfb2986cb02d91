import type { EntityId } from '../../../../domain/ids.js';
import { openStore } from '../../../../store/open-store.js';
import { percentile, round } from '../../statistics.js';

const calls = 2_000;
const page = { limit: 100, after: null };

/** The time of findIntegrationsByEntityId, one call after the other, each for another entity of seedIntegrations. */
export async function measureFlatness(databaseUrl: string, integrations: number): Promise<string> {
  const store = await openStore({ databaseUrl, poolSize: 1 });
  const times: number[] = [];
  try {
    for (let call = 0; call < calls + 200; call += 1) {
      // Far apart, so that what is near in the index is not what was read just before.
      const place = 2 + ((call * 7_919) % (integrations / 2 - 4));
      const begun = performance.now();
      const found = await store.findIntegrationsByEntityId(`ent_${String(place).padStart(32, '0')}` as EntityId, page);
      if (found.rows.length !== 2) throw new Error(`An entity has ${found.rows.length} integrations instead of 2`);
      if (call >= 200) times.push(performance.now() - begun);
    }
  } finally {
    await store.close();
  }
  return `${integrations.toLocaleString('en')} integrations: p50 ${round(percentile(times, 0.5), 3)} ms, p99 ${round(percentile(times, 0.99), 3)} ms`;
}
