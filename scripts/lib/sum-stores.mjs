/** Of test/contract/store-contract.ts. */
const title = 'the store port on ';
const wanted = 40;

/**
 * Reads Jest's report of the suites of the stores.
 *
 * @param {readonly string[]} stores
 * @param {readonly object[]} results `testResults` of the report
 * @param {number} code Jest's exit code
 * @param {boolean} mustTestAll whether a store that was not tested is a failure
 * @returns the cases by name, with the status on each store; the sum of each store; what failed, as text; whether all is well
 */
export function sumStores(stores, results, code, mustTestAll) {
  const cases = new Map();
  const sum = Object.fromEntries(stores.map(store => [store, { passed: 0, failed: 0 }]));
  const failures = [];
  for (const { assertionResults, message } of results) {
    // One that could not be loaded has a message and no case.
    if (assertionResults.length === 0 && message !== '') failures.push(message);
    for (const { ancestorTitles, title: last, status, failureMessages } of assertionResults) {
      const at = ancestorTitles.findIndex(name => name.startsWith(title));
      const store = stores.find(name => ancestorTitles[at] === `${title}${name}`);
      const name = [...ancestorTitles.slice(store === undefined ? 0 : at + 1), last].join(' › ');
      if (status === 'failed')
        failures.push(`${store ?? 'beside the stores'} › ${name}\n${failureMessages.join('\n')}\n`);
      if (store === undefined) continue;
      cases.set(name, { ...cases.get(name), [store]: status });
      if (status === 'passed' || status === 'failed') sum[store][status] += 1;
    }
  }
  const untested = stores.filter(store => sum[store].passed + sum[store].failed === 0);
  const short = stores.filter(store => !untested.includes(store) && sum[store].passed < wanted);
  for (const store of short)
    failures.push(`${store}: only ${sum[store].passed} cases passed, at least ${wanted} are wanted`);
  // A teardown that fails shows in the code alone.
  if (code !== 0 && failures.length === 0) failures.push(`Jest ended with code ${code} though no case failed`);
  return { cases, sum, failures, untested, isGood: failures.length === 0 && !(mustTestAll && untested.length > 0) };
}
