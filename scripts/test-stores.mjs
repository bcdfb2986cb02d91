/**
 * `npm run test:stores`: the contract suite on every store, as a table of store × case. The last line is JSON. A store that
 * cannot be tested here is named; with CI set that is a failure. Anything else that fails in these suites is one anywhere.
 */
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAll } from './lib/ensure-all.mjs';
import { inRoot } from './lib/paths.mjs';
import { capture } from './lib/run-quietly.mjs';
import { sumStores } from './lib/sum-stores.mjs';

const stores = ['postgres', 'mongo', 'documentdb'];
const ownMongo = process.env.MONGODB_URL !== undefined;
const servers = {
  postgres: 'PostgreSQL',
  mongo: ownMongo ? 'the server of MONGODB_URL' : 'FerretDB 1.24, one write at a time',
  documentdb: `the documentdb profile on ${ownMongo ? 'the server of MONGODB_URL' : 'FerretDB 1.24, one write at a time,'} behind Amazon's list`,
};
const marks = { passed: 'ok', failed: 'FAILED', pending: '-' };
/** Of test/contract/fixtures.ts. */
const raceMark = ' [race]';

if (!(await ensureAll())) process.exit(1);
const directory = mkdtempSync(join(tmpdir(), 'relink-stores-'));
const { results, code } = await runSuites(directory);
rmSync(directory, { recursive: true, force: true });

const mustTestAll = process.env.CI !== undefined;
const { cases, sum, failures, untested, isGood } = sumStores(stores, results, code, mustTestAll);
console.log(`${stores.map(store => store.padEnd(11)).join('')}case`);
for (const [name, byStore] of cases) {
  const note = store => (name.endsWith(raceMark) && store !== 'postgres' && !ownMongo ? '*' : '');
  const cells = stores.map(store => `${marks[byStore[store]] ?? 'not run'}${note(store)}`.padEnd(11)).join('');
  console.log(`${cells}${name.replace(raceMark, '')}`);
}
if (!ownMongo) console.log('* writes went through one at a time: see docs/databases.md');
for (const failure of failures) console.log(failure);
for (const store of untested) console.log(`NOT TESTED: ${store}`);
console.log(
  JSON.stringify({
    stores: Object.fromEntries(stores.map(store => [store, { ...sum[store], server: servers[store] }])),
  }),
);
process.exit(isGood ? 0 : 1);

async function runSuites(folder) {
  const outputFile = join(folder, 'report.json');
  const jest = inRoot('node_modules', 'jest', 'bin', 'jest.js');
  const suites = stores.map(store => `test/contract/${store}\\.test\\.ts$`);
  const args = [jest, ...suites, '--json', `--outputFile=${outputFile}`];
  const { code: ended, output } = await capture(process.execPath, args);
  if (existsSync(outputFile)) return { results: JSON.parse(readFileSync(outputFile, 'utf8')).testResults, code: ended };
  console.log(output);
  return { results: [], code: ended === 0 ? 1 : ended };
}
