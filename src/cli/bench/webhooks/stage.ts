import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pickPort } from '../../../embedded/pick-port.js';
import type { BenchStack } from '../start-bench-stack.js';
import type { BenchDatabase } from './bench-database.js';
import { openBenchDatabase } from './database.js';
import { PeakMemory } from './peak-memory.js';
import { endConsumers } from './end-consumers.js';
import { kill, pathOf, seed, type Seeded } from './seed.js';
import type { LoadTarget } from './send-load.js';
import { untilAnswering } from './until-answering.js';

export type Say = (line: string) => void;

/** What every part of the webhook benchmark works on. No worker runs when it is handed over. */
export interface Stage {
  readonly stack: BenchStack;
  readonly database: BenchDatabase;
  /** Of how many deliveries a backlog is made, relative to the usual: fewer where the server reads all of it for each claim. */
  readonly backlog: number;
  readonly client: Client;
  readonly memory: PeakMemory;
  /** 1,000 integrations of one connected account. */
  readonly living: Seeded;
  /** 10 whose credential is dead; their handlers note what they get in `recorded`. */
  readonly dead: Seeded;
  readonly deadAccount: string;
  readonly recorded: string;
  /** The bare route. */
  readonly bare: LoadTarget;
  /** The first so many living integrations. */
  readonly first: (count: number) => LoadTarget;
  readonly target: (ids: readonly string[]) => LoadTarget;
  /** Empties the tables and ends every consumer that still runs, so that no part pays for the one before. */
  readonly clear: () => Promise<void>;
  readonly startWorker: () => Promise<void>;
  readonly stopWorker: () => Promise<void>;
  readonly say: Say;
  readonly close: () => Promise<void>;
}

const deadAccount = 'hooli';

export async function setStage(stack: BenchStack, root: string, say: Say): Promise<Stage> {
  const database = await openBenchDatabase(stack.databaseUrl);
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const memory = new PeakMemory();
  memory.watch('server', stack.server.pid);
  const { webhookSecret: secret } = stack.sandbox;
  let worker: Awaited<ReturnType<typeof stack.startWorker>> | undefined;
  const startWorker = async () => {
    worker = await stack.startWorker();
    memory.watch('worker', worker.pid);
  };
  const stopWorker = async () => {
    await worker?.stop();
    worker = undefined;
  };

  const client = new Client({ connection });
  const clear = async () => {
    await endConsumers(client);
    await database.reset();
  };

  const barePort = await pickPort(undefined, 'bare intake', say);
  const origin = `http://127.0.0.1:${barePort}`;
  await stack.run('bare-intake', 'cli/bench/webhooks/bare-intake.js', [stack.databaseUrl, secret, String(barePort)]);
  await stack.run('naive-worker', 'cli/bench/webhooks/naive-worker.js', [stack.temporalAddress]);
  await untilAnswering(origin);

  // Connecting and dying need a worker.
  await startWorker();
  const recorded = join(root, 'recorded.txt');
  await rm(recorded, { force: true });
  const living = await seed(stack, 'bench-living', 'acme', 1_000);
  const dead = await seed(stack, 'bench-dead', deadAccount, 10, () => ({ file: recorded }));
  await kill(stack, dead, deadAccount);
  await stopWorker();

  const target = (ids: readonly string[]): LoadTarget => ({ origin: stack.url, paths: ids.map(pathOf), secret });
  return {
    ...{ stack, database, memory, living, dead, deadAccount, recorded, target, clear, startWorker, stopWorker, say },
    client,
    backlog: stack.store === 'postgres' ? 1 : 0.05,
    bare: { origin, paths: living.integrationIds.slice(0, 10).map(id => `/webhooks/${id}`), secret },
    first: count => target(living.integrationIds.slice(0, count)),
    close: async () => {
      await connection.close();
      await database.close();
    },
  };
}
