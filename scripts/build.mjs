/** `npm run build`: dependencies, Prisma client, dist/ with the workflow bundle. */
import { ensureAll } from './lib/ensure-all.mjs';

if (!(await ensureAll())) process.exit(1);
console.log('The build is up to date: dist/');
