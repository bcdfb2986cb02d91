import { existsSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { hashFiles, listFiles } from './hash-files.mjs';
import { runQuietly } from './run-quietly.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const output = inRoot('src', 'store', 'postgres', 'generated');
const stampFile = inRoot('src', 'store', 'postgres', 'generated', '.stamp.json');

// No look for newer versions; notes to itself stay in the clone (with an empty HOME they would litter its root).
const quietly = {
  CHECKPOINT_DISABLE: '1',
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  XDG_CONFIG_HOME: inRoot('.relink', 'prisma'),
  XDG_CACHE_HOME: inRoot('.relink', 'prisma'),
};

/** `prisma generate` when the schema, its settings or Prisma's version changed. */
export async function ensurePrismaClient() {
  const hash = hashFiles(
    listFiles('prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'),
    process.platform,
  );
  if (readStamp(stampFile)?.hash === hash) return;
  const prisma = inRoot('node_modules', 'prisma', 'build', 'index.js');
  await runQuietly('generating the Prisma client', process.execPath, [prisma, 'generate'], quietly);
  if (existsSync(output)) writeStamp(stampFile, { hash });
}
