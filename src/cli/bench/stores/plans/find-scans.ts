import type { CommandStartedEvent, Document, MongoClient } from 'mongodb';

/** Commands that read by a plan. */
const explained = new Set(['find', 'findAndModify', 'update', 'delete', 'distinct', 'aggregate', 'count']);
/** What the driver adds to a command, and an explained one may not hold. */
const ofTheDriver = new Set([
  ...['lsid', '$db', '$clusterTime', '$readPreference', 'txnNumber', 'readConcern', 'writeConcern'],
]);

/** Collects what is sent, as it can be explained. */
export function collectCommands(client: MongoClient): Document[] {
  const sent: Document[] = [];
  client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) => {
    if (!explained.has(commandName)) return;
    const kept = Object.entries(command).filter(([key]) => !ofTheDriver.has(key));
    sent.push(Object.fromEntries(kept));
  });
  return sent;
}

/**
 * How many stages of an explained command read a whole collection. Plans that were not chosen do not count.
 *
 * @see https://www.mongodb.com/docs/manual/reference/explain-results/
 */
export function countScans(explanation: unknown): number {
  if (Array.isArray(explanation)) return explanation.reduce<number>((sum, part) => sum + countScans(part), 0);
  if (typeof explanation !== 'object' || explanation === null) return 0;
  const executed: unknown = Reflect.get(explanation, 'executionStats');
  // With figures of the execution, the plan beside them says the same once more.
  if (typeof executed === 'object' && executed !== null) return countScans(Reflect.get(executed, 'executionStages'));
  const own = Reflect.get(explanation, 'stage') === 'COLLSCAN' ? 1 : 0;
  return Object.entries(explanation)
    .filter(([key]) => key !== 'rejectedPlans' && key !== 'command')
    .reduce((sum, [, part]) => sum + countScans(part), own);
}
