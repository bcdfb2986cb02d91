import type { StoreName } from '../../../embedded/store-names.js';
import { migrateStore } from '../../../store/open-store.js';
import { measureOperation, type Measured, type Pace } from './measure-operation.js';
import { openMongoTarget } from './mongo-target.js';
import { operations } from './operations/all.js';
import { openPostgresTarget } from './postgres-target.js';

/** Per second, and by how much the port is slower or faster than the same statements without it. */
function show({ name, port, bare, driver, ratio }: Measured): string {
  const beside = driver === null ? '' : `  pg ${String(driver).padStart(6)}`;
  return `  ${name.padEnd(38)} ${String(port).padStart(6)}  bare ${String(bare).padStart(6)}${beside}  ratio ${ratio}`;
}

const warmUp: Pace = { turnMs: 1, rounds: 1, moreRounds: 0, fewest: 16, atMostMs: 1_000 };

/** Every operation on one store, over a database that is there and empty. */
export async function measureStore(
  store: StoreName,
  databaseUrl: string,
  pace: Pace,
  people: number,
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  await migrateStore(databaseUrl);
  const open = store === 'postgres' ? openPostgresTarget : openMongoTarget;
  const target = await open(databaseUrl, people);
  try {
    // Once all of them, unheard: the generated client's engine takes a while to be compiled.
    if (store === 'postgres' && pace.rounds > 1) {
      for (const operation of operations) await measureOperation(target, operation, warmUp);
    }
    const measured: Measured[] = [];
    for (const operation of operations) {
      const found = await measureOperation(target, operation, pace);
      say(show(found));
      measured.push(found);
    }
    return measured;
  } finally {
    await target.close();
  }
}
