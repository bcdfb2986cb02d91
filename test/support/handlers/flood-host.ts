/** Floods a handler host with everything troublemaker.cjs knows, in a process of its own; prints how each call ended. */
import { callHandlers } from '../call-handlers.js';

const floods = ['objects', 'arrays', 'map', 'properties', 'spread', 'buffers', 'laterBuffers', 'laterObjects'];

async function main(): Promise<void> {
  const { host, run } = callHandlers({ memoryMb: 128 });
  const kinds: string[] = [];
  for (const how of floods) kinds.push((await run({ do: 'flood', how })).kind);
  kinds.push((await run({ do: 'churn', ms: 1000 })).kind);
  await host.close();
  process.stdout.write(JSON.stringify(kinds));
}

void main();
