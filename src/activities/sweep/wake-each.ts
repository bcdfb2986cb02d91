import type { IntegrationId } from '../../domain/ids.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countDone } from './count-done.js';

/** Wakes these integrations, one after the other; returns how many. */
export function wakeEach(
  { workflows, log }: Pick<ActivityDependencies, 'workflows' | 'log'>,
  ids: readonly IntegrationId[],
): Promise<number> {
  return countDone(
    ids.map(id => ({ id })),
    log,
    async ({ id }) => {
      await workflows.wakeWebhooks(id);
      return true;
    },
  );
}
