import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { patched, proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { ProbeResult, ReauthActivities, TestActivities } from '../contracts/activities.js';
import type { TestCredentialInput, TestCredentialResult } from '../contracts/workflows.js';
import { awaitRefresh } from './await-refresh.js';
import { probeOptions, recordOptions, restoreOptions } from './activity-options.js';
import { failureCode } from './failure-code.js';
import { setSearchAttributes } from './search-attributes.js';
import { tellDeathOnce } from './tell-death-once.js';

const { probeCredential, refreshCredential } = proxyActivities<TestActivities>(probeOptions);
const { recordCredentialTest, markCredentialValid } = proxyActivities<TestActivities>(recordOptions);
const { restoreIntegrationStatuses } = proxyActivities<ReauthActivities>(restoreOptions);

/**
 * Asks the provider whether a credential still works. One stray 401 kills nothing: a refusal counts only after it was
 * repeated with growing waits, for the same generation of the token. An outage is no verdict at all.
 */
export async function testCredential(input: TestCredentialInput): Promise<TestCredentialResult> {
  let probe: ProbeResult;
  try {
    probe = await probeUntilSure(input);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const code = failureCode(error, 'provider_unavailable');
    if (operatorFaults.includes(code) && patched('operator-faults-are-no-outage')) throw fault(code, input);
    return await end(input, 'unreachable', null);
  }

  if (probe.outcome === 'gone') return await end(input, 'gone', null);
  if (probe.outcome === 'ok') {
    await heal(input, probe);
    return await end(input, 'ok', probe.generation);
  }
  if (probe.refreshable) {
    if (!patched('a-test-refreshes')) return await end(input, 'needs_refresh', probe.generation);
    return await endByRefresh(input, probe);
  }
  await tellDeath(input, probe);
  return await end(input, 'refused', probe.generation);
}

/** A token that can be refreshed is judged by its refresh; the one that this brings is asked about once more. */
async function endByRefresh(input: TestCredentialInput, refused: ProbeResult): Promise<TestCredentialResult> {
  const { credentialId, provider } = input;
  setCurrentDetails(`${provider} refused the token, or it has ended: refreshing.`);
  try {
    const kind = patched('a-test-waits-here')
      ? await awaitRefresh(credentialId, refused.generation)
      : (await refreshCredential({ credentialId, generation: refused.generation })).kind;
    if (kind === 'gone') return await end(input, 'gone', null);
    if (kind === 'dead') {
      // Its run tells the death; one that was lost on its way there is made up for.
      if (patched('a-test-tells-a-refused-refresh')) await tellDeath(input, refused, 'refresh_refused');
      return await end(input, 'refused', refused.generation);
    }
    if (kind !== 'refreshed') return await end(input, 'needs_refresh', refused.generation);
    const probe = await probeCredential({ credentialId });
    if (probe.outcome === 'ok') await heal(input, probe);
    // A refusal of a new token kills nothing: the grant has just proven that it lives.
    return await end(input, probe.outcome, probe.generation);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return await end(input, 'unreachable', null);
  }
}

/** Nothing was asked of the provider, so nothing is told of the credential: the run fails, where the operator looks. */
const operatorFaults = ['secret_unreadable', 'provider_not_configured'];

function fault(code: string, { credentialId }: TestCredentialInput): ApplicationFailure {
  setSearchAttributes({ Stage: 'ended', Outcome: code });
  setCurrentDetails(`${credentialId} could not be tested: ${code}. Only the operator can mend this.`);
  return ApplicationFailure.create({ message: `The test ended: ${code}`, type: code, nonRetryable: true });
}

async function probeUntilSure({ credentialId, graceMs, provider }: TestCredentialInput): Promise<ProbeResult> {
  setCurrentDetails(`Asking ${provider} whether the token still works.`);
  let probe = await probeCredential({ credentialId });
  for (let repeat = 0; repeat < graceMs.length; ) {
    if (probe.outcome !== 'refused' || probe.refreshable) return probe;
    const wait = graceMs[repeat] ?? 0;
    setCurrentDetails(`${provider} refused the token (HTTP ${probe.httpStatus}). Asking again in ${wait} ms.`);
    await sleep(wait);
    const next = await probeCredential({ credentialId });
    // A reconnect in between is another token: its refusals are counted from the start.
    repeat = next.generation === probe.generation ? repeat + 1 : 0;
    probe = next;
  }
  return probe;
}

/** Also where the verdict is gone already: a restore that was lost on its way is made up for. Known news changes nothing. */
async function heal({ credentialId }: TestCredentialInput, probe: ProbeResult): Promise<void> {
  const { generation } = probe;
  const { epoch } = probe.authIsValid
    ? probe
    : await markCredentialValid({ credentialId, epoch: probe.epoch, generation });
  if (epoch === null) return;
  await restoreIntegrationStatuses({ sessionId: null, credentialId, entityId: null, epoch, optIn: false });
}

/** Also where the death is in the row already: a telling that was lost on its way is made up for. */
async function tellDeath(
  { credentialId, provider }: TestCredentialInput,
  { epoch, httpStatus }: ProbeResult,
  code: 'credential_refused' | 'refresh_refused' = 'credential_refused',
): Promise<void> {
  await tellDeathOnce({ credentialId, provider, epoch, code, httpStatus });
}

async function end(
  { credentialId, provider }: TestCredentialInput,
  outcome: TestCredentialResult['outcome'],
  generation: number | null,
): Promise<TestCredentialResult> {
  if (outcome !== 'gone') await recordCredentialTest({ credentialId, outcome, generation });
  setSearchAttributes({ Stage: 'ended', Outcome: outcome });
  setCurrentDetails(`The test at ${provider} ended: ${outcome}.`);
  return { outcome };
}
