import { join } from 'node:path';
import { type RoleProcess, spawnRole } from '../process/spawn-role.js';

/** The sandbox as a process of its own, for stacks in the shape of production; it serves on the port a moment later. */
export function spawnSandbox(options: {
  /** Where the compiled code is, normally `dist`. */
  readonly compiled: string;
  readonly directory: string;
  readonly port: number;
  readonly controlKey: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}): Promise<RoleProcess> {
  const { port, controlKey, clientId, clientSecret, redirectUris } = options;
  const argument = { port, controlKey, quiet: true, clients: [{ clientId, clientSecret, redirectUris }] };
  return spawnRole({
    name: 'sandbox',
    script: join(options.compiled, 'embedded', 'sandbox', 'main.js'),
    args: [JSON.stringify(argument)],
    environment: {},
    logFile: join(options.directory, 'sandbox.log'),
  });
}
