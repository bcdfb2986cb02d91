/** `npm run build`: dependencies, Prisma client, dist/ with the workflow bundle. */
import { ensureAll } from './lib/ensure-all.mjs';

process.exit((await ensureAll()) ? 0 : 1);
