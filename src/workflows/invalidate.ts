import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { InvalidateActivities } from '../contracts/activities.js';
import type { InvalidateInput, InvalidateResult } from '../contracts/workflows.js';
import { recordOptions, restoreOptions } from './activity-options.js';
import { setSearchAttributes } from './search-attributes.js';

const { markCredentialInvalid } = proxyActivities<InvalidateActivities>(recordOptions);
const { addCauses, withdrawOvertakenCauses } = proxyActivities<InvalidateActivities>(restoreOptions);

/**
 * Tells the death of a credential: the only code that ever adds a cause. Every step carries the epoch it speaks of, and
 * a reconnect that overtakes any of them wins; the last step looks again, because an entity may have been repointed
 * between the listing and the write.
 */
export async function invalidate(input: InvalidateInput): Promise<InvalidateResult> {
  const { credentialId, provider, epoch, code, httpStatus, providerError = null } = input;
  setSearchAttributes({ CredentialId: credentialId, Provider: provider, Stage: 'invalidating' });
  setCurrentDetails(`Marking credential ${credentialId} as dead: ${code}.`);
  const { causeEpoch } = await markCredentialInvalid({ credentialId, epoch, code, httpStatus, providerError });
  if (causeEpoch === null) {
    setSearchAttributes({ Stage: 'ended', Outcome: 'overtaken' });
    setCurrentDetails('Something newer happened to this credential meanwhile: nothing to tell.');
    return { outcome: 'overtaken', errors: 0 };
  }
  const { errors, recorded } = await addCauses({ credentialId, causeEpoch });
  const { withdrawn } = await withdrawOvertakenCauses({ credentialId, causeEpoch });
  setSearchAttributes({ Stage: 'ended', Outcome: 'invalidated' });
  setCurrentDetails(
    `Cause recorded on ${recorded} integrations, ${errors} of them now in ERROR; withdrawn again from ${withdrawn}.`,
  );
  return { outcome: 'invalidated', errors };
}
