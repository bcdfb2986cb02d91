import { judgeStanding } from '../domain/credential-standing.js';
import type { IntegrationId } from '../domain/ids.js';
import { isStateAtWork } from '../integrations/gate-of.js';
import type { ActivityDependencies } from './dependencies.js';

/** How long the telling may take here; past it, the next delivery that meets the death asks again. Milliseconds. */
const tellWithinMs = 5_000;

/**
 * For an integration whose handler met a dead credential. Where it is at work all the same, and has not heard of that
 * death some time after it, its telling was lost (its run was terminated, or Temporal's data): it is told again, by the
 * workflow that alone adds causes, and to all integrations on the credential.
 *
 * Safe to repeat and to run twice at once: the telling carries the epoch of the death.
 */
export async function tellLostDeaths(
  { store, workflows, log, now, settings }: ActivityDependencies,
  integrationId: IntegrationId,
): Promise<void> {
  const integration = await store.getIntegration(integrationId);
  if (integration === null || !isStateAtWork(integration.state)) return;
  for (const credentialId of await store.getCurrentCredentialIds(integrationId)) {
    const credential = await store.getCredential(credentialId);
    const verdict = credential?.verdict ?? null;
    if (credential === null || verdict === null || judgeStanding(credential) !== 'dead') continue;
    const { provider, epoch } = credential;
    const { code, httpStatus, since } = verdict;
    if ((integration.state.epochs[credentialId] ?? 0) >= epoch) continue;
    // Mostly on its way.
    if (now().getTime() - since.getTime() < settings.sweepAfterMs) continue;
    log.warn(
      { credentialId, integrationId, epoch },
      `The death of ${credentialId} was not told to ${integrationId}: it is told again`,
    );
    await workflows.runInvalidate({ credentialId, provider, epoch, code, httpStatus }, integrationId, tellWithinMs);
  }
}
