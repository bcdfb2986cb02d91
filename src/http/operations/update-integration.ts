import type { IntegrationId } from '../../domain/ids.js';
import { setIntent } from '../../domain/integration-state.js';
import type { Intent } from '../../domain/status.js';
import { RelinkError } from '../../errors.js';
import { changeIntegration } from '../../integrations/change-integration.js';
import { comeBack } from '../../integrations/come-back.js';
import { isStateAtWork } from '../../integrations/gate-of.js';
import { noteLivingCredentials } from '../../integrations/note-living-credentials.js';
import { settleConfig } from '../../integrations/settle-config.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/**
 * The user's switch and settings, in one write. Switching on while a cause is open lands in ERROR: the switch says what
 * the user wants, not what works.
 *
 * @throws RelinkError `not_found`, `integration_in_deletion`, `write_conflict`.
 */
export async function updateIntegration(
  context: HttpContext,
  id: IntegrationId,
  change: { readonly intent?: Intent; readonly config?: Readonly<Record<string, unknown>> },
): Promise<Integration> {
  const { store, integrations, intake, log, now } = context;
  const changed = await changeIntegration(
    store,
    id,
    async (state, row) => {
      if (state.lifecycle === 'deleting') throw new RelinkError('integration_in_deletion', id);
      // A pause stands, also against the restore of an earlier reconnect that is still on its way.
      const noted = change.intent === 'paused' ? await noteLivingCredentials(store, id, state) : state;
      const switched = change.intent === undefined ? noted : setIntent(noted, change.intent);
      const settled =
        change.config === undefined ? switched : settleConfig(switched, integrations.find(row.type), change.config);
      return comeBack(integrations, row, settled);
    },
    now,
    change.config,
  );
  if (changed === null) throw new RelinkError('not_found', id);
  const { before, after } = changed;
  if (before.status !== after.status) {
    if (isStateAtWork(after.state)) intake.waker.wake(id, { always: true });
    log.info(
      { integrationId: id, from: before.status, to: after.status },
      `Integration ${id} went from ${before.status} to ${after.status} by its user`,
    );
  }
  return after;
}
