import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import { request } from 'undici';
import { composeCore } from '../../../compose.js';
import { isId } from '../../../domain/ids.js';
import { RelinkError } from '../../../errors.js';
import { createLivingConnections, type LivingConnections } from '../../../handlers/living-connections.js';
import { createRefusalMemory } from '../../../handlers/create-refusal-memory.js';
import { requestProvider } from '../../../handlers/request-provider.js';
import { loadSettings } from '../../../load-settings.js';
import { createLog } from '../../../log.js';
import { type CallerResult, type CallerTask, callerTaskSchema } from './caller-contract.js';

/**
 * A process full of callers: handlers' requests as a worker makes them, over its own pool and its own connection to
 * Temporal. `node caller.js <port>`, with the settings of a worker; tasks come by HTTP on loopback.
 */
const identityPath = '/identity';

/** Each call's own note of when it met its 401. */
const call = new AsyncLocalStorage<{ refusedAt?: number }>();
const never = new AbortController().signal;

async function compose() {
  const { config, temporal } = loadSettings(process.env);
  const core = await composeCore(config, temporal, createLog('silent', 'caller'));
  const living = createLivingConnections(core);
  const connections: LivingConnections = {
    find: id => living.find(id),
    // The first thing that a request does about a 401.
    read: id => {
      const own = call.getStore();
      if (own !== undefined) own.refusedAt ??= performance.now();
      return living.read(id);
    },
  };
  const dependencies = {
    ...core,
    connections,
    refusals: createRefusalMemory(),
    now: Date.now,
  };
  return { living, dependencies };
}

type Composed = Awaited<ReturnType<typeof compose>>;

async function findIntegration({ store }: Composed['dependencies'], id: string) {
  const integration = isId('integration', id) ? await store.getIntegration(id) : null;
  if (integration === null) throw new Error(`no integration ${id}`);
  return integration;
}

async function run({ living, dependencies }: Composed, task: CallerTask): Promise<CallerResult> {
  const integration = await findIntegration(dependencies, task.integrationId);
  const result: CallerResult = { ok: 0, failures: {}, ms: [], bareMs: [] };
  const note = (end: string) => (result.failures[end] = (result.failures[end] ?? 0) + 1);
  const callOnce = () =>
    call.run({}, async () => {
      try {
        const { status } = await requestProvider(dependencies, integration, { url: identityPath }, never);
        if (status !== 200) return note(`status ${status}`);
        const refusedAt = call.getStore()?.refusedAt;
        if (refusedAt !== undefined) result.ms.push(performance.now() - refusedAt);
        return (result.ok += 1);
      } catch (error) {
        return note(error instanceof RelinkError ? error.code : 'unforeseen');
      }
    });

  if (task.task === 'round') {
    await Promise.all(Array.from({ length: task.callers }, callOnce));
  } else if (task.task === 'calls') {
    let begun = 0;
    const goOn = async () => {
      while (begun++ < task.calls) await callOnce();
    };
    await Promise.all(Array.from({ length: task.atOnce }, goOn));
  } else {
    const [entityId] = integration.entityIds;
    if (entityId === undefined) throw new Error('no entity');
    const authorization = `Bearer ${(await living.read(entityId)).tokens.accessToken.reveal()}`;
    const askBare = async () => {
      const at = performance.now();
      const answer = await request(task.url, { headers: { accept: 'application/json', authorization } });
      await answer.body.text();
      result.bareMs.push(performance.now() - at);
    };
    const askOurs = async () => {
      const at = performance.now();
      await requestProvider(dependencies, integration, { url: identityPath }, never);
      result.ms.push(performance.now() - at);
      result.ok += 1;
    };
    for (let pair = 0; pair < task.pairs; pair += 1) {
      // Whoever goes first in a pair goes second in the next.
      for (const ask of pair % 2 === 0 ? [askBare, askOurs] : [askOurs, askBare]) await ask();
    }
  }
  return result;
}

async function main(): Promise<void> {
  const composed = await compose();
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      if (req.method !== 'POST') return void res.end('{}');
      const task = callerTaskSchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      run(composed, task).then(
        result => res.end(JSON.stringify(result)),
        () => res.writeHead(500).end(),
      );
    });
  });
  server.listen(Number(process.argv[2]), '127.0.0.1');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
