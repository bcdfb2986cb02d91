import { gateOfState } from '../../integrations/gate-of.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** By the gate as it is after the write: a release that came meanwhile did not see what was queued just now. */
export async function wakeReplayed({ store, integrations, intake }: HttpContext, { id }: Integration): Promise<void> {
  const integration = await store.getIntegration(id);
  if (integration !== null && gateOfState(integrations, integration) === 'process') intake.waker.wake(id);
}
