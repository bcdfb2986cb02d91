import { z } from 'zod';
import { startSandbox } from './start-sandbox.js';

/** argv[2]: JSON of these. */
const argumentSchema = z.strictObject({
  port: z.int().min(0).max(65_535).optional(),
  clients: z.array(
    z.strictObject({
      clientId: z.string().min(1),
      clientSecret: z.string().min(1),
      name: z.string().optional(),
      redirectUris: z.array(z.url()).min(1),
    }),
  ),
  controlKey: z.string().optional(),
  stateFile: z.string().optional(),
  accessTokenTtl: z.record(z.string(), z.int().positive()).optional(),
  quiet: z.boolean().optional(),
});

/**
 * The sandbox as a process of its own. Prints one line when it serves: `{"url":…}`, and its `controlKey` where none was
 * given (one that was stays out of logs). Ends when its stdin closes (so it never outlives its parent) or on SIGTERM or
 * SIGINT.
 */
async function main(): Promise<void> {
  const options = argumentSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
  const sandbox = await startSandbox(options);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    sandbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
  const { url, controlKey } = sandbox;
  process.stdout.write(`${JSON.stringify(options.controlKey === undefined ? { url, controlKey } : { url })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`sandbox: ${error instanceof Error ? error.message : 'could not start'}\n`);
  process.exit(1);
});
