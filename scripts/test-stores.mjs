/**
 * `npm run test:stores`: the contract suite on every store, as a table of store × case. The last line is JSON. A store that
 * cannot be tested here is named; with CI set that is a failure.
 */
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAll } from './lib/ensure-all.mjs';
import { inRoot } from './lib/paths.mjs';
import { capture } from './lib/run-quietly.mjs';

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
const results = await runSuites(directory);
rmSync(directory, { recursive: true, force: true });

const cases = new Map();
const sum = Object.fromEntries(stores.map(store => [store, { passed: 0, failed: 0 }]));
for (const { assertionResults, message } of results) {
  if (assertionResults.length === 0 && message !== '') console.log(message);
  for (const { ancestorTitles, title, status, failureMessages } of assertionResults) {
    const at = ancestorTitles.findIndex(name => name.startsWith('the store port on '));
    const store = ancestorTitles[at]?.slice('the store port on '.length);
    if (store === undefined || !(store in sum)) continue;
    const name = [...ancestorTitles.slice(at + 1), title].join(' › ');
    cases.set(name, { ...cases.get(name), [store]: status });
    if (status === 'passed') sum[store].passed += 1;
    if (status === 'failed') {
      sum[store].failed += 1;
      console.log(`${store} › ${name}\n${failureMessages.join('\n')}\n`);
    }
  }
}

console.log(`${stores.map(store => store.padEnd(11)).join('')}case`);
for (const [name, byStore] of cases) {
  const note = store => (name.endsWith(raceMark) && store !== 'postgres' && !ownMongo ? '*' : '');
  const cells = stores.map(store => `${marks[byStore[store]] ?? 'not run'}${note(store)}`.padEnd(11)).join('');
  console.log(`${cells}${name.replace(raceMark, '')}`);
}
if (!ownMongo) console.log('* writes went through one at a time: see docs/databases.md');
const untested = stores.filter(store => sum[store].passed + sum[store].failed === 0);
for (const store of untested) console.log(`NOT TESTED: ${store}`);
const short = stores.filter(store => !untested.includes(store) && sum[store].passed < 40);
for (const store of short) console.log(`${store}: only ${sum[store].passed} cases passed, at least 40 are wanted`);
console.log(
  JSON.stringify({
    stores: Object.fromEntries(stores.map(store => [store, { ...sum[store], server: servers[store] }])),
  }),
);
const failed = stores.some(store => sum[store].failed > 0) || short.length > 0;
process.exit(failed || (untested.length > 0 && process.env.CI !== undefined) ? 1 : 0);

async function runSuites(folder) {
  const outputFile = join(folder, 'report.json');
  const jest = inRoot('node_modules', 'jest', 'bin', 'jest.js');
  const suites = stores.map(store => `test/contract/${store}\\.test\\.ts$`);
  const { output } = await capture(process.execPath, [jest, ...suites, '--json', `--outputFile=${outputFile}`]);
  if (existsSync(outputFile)) return JSON.parse(readFileSync(outputFile, 'utf8')).testResults;
  console.log(output);
  return [];
}
