import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { ReauthActivities } from '../contracts/activities.js';
import type { Connection, ReauthInput, ReauthResult } from '../contracts/workflows.js';
import { invalidateWorkflowId } from '../contracts/workflow-ids.js';
import { connectOptions, recordOptions, restoreOptions } from './activity-options.js';
import { failureCode } from './failure-code.js';
import { invalidate } from './invalidate.js';
import { connectedUpdate } from './messages.js';
import { setSearchAttributes } from './search-attributes.js';

const { restoreIntegrationStatuses } = proxyActivities<ReauthActivities>(restoreOptions);
const { endAttempt, persistCredential: storeProven, upsertEntity } = proxyActivities<ReauthActivities>(recordOptions);

/**
 * One attempt to connect, from the sealed grant on. Three activities in order; the user's answer (`connected`) is due
 * after the second, so that the restore may fail and retry without the user noticing.
 *
 * Everything needed is in the session row, found by its id: the update carries nothing, and a run that was started
 * without its update (Temporal restarted in between) does the same work.
 */
export async function reauth(input: ReauthInput): Promise<ReauthResult> {
  const { persistCredential } = proxyActivities<ReauthActivities>(connectOptions(input.connectWithinMs));
  let connection: Connection | undefined = undefined;
  let failedWith: string | undefined;

  // Registered before the first await: an update that finds no handler is rejected at the end of the activation.
  setHandler(connectedUpdate, async () => {
    await condition(() => connection !== undefined || failedWith !== undefined);
    if (connection === undefined) throw refusal(failedWith);
    return connection;
  });

  const fail = async (code: string, details: string): Promise<never> => {
    failedWith = code;
    setSearchAttributes({ Stage: 'ended', Outcome: code });
    setCurrentDetails(`The attempt ended: ${code}. ${details}`);
    await condition(allHandlersFinished);
    throw refusal(code);
  };

  let persisted: Awaited<ReturnType<typeof persistCredential>>;
  try {
    setCurrentDetails(`Proving the new token at ${input.provider} and storing the credential.`);
    persisted = await persistCredential({ sessionId: input.sessionId });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const code = failureCode(error, 'connect_timed_out');
    const { ended } = await endAttempt({ sessionId: input.sessionId, code });
    if (ended) {
      return await fail(code, 'Credential and entity are as they were.');
    }
    // The account is proven and its credential may be written: from there on the attempt only goes forward.
    persisted = await storeProven({ sessionId: input.sessionId });
  }
  const { credentialId, epoch } = persisted;
  try {
    connection = { credentialId, ...(await upsertEntity({ sessionId: input.sessionId, credentialId })) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Deleted between the two steps. The session has ended with it.
    return await fail(failureCode(error, 'internal'), 'Its credential was deleted meanwhile.');
  }
  const { entityId } = connection;

  setSearchAttributes({ CredentialId: connection.credentialId, EntityId: connection.entityId, Stage: 'restoring' });
  setCurrentDetails(`Connected as ${connection.entityId}. Restoring its integrations; this retries on its own.`);
  const { restored, death } = await restoreIntegrationStatuses({
    sessionId: input.sessionId,
    credentialId,
    entityId,
    epoch,
    optIn: true,
  });
  if (death !== null) {
    await executeChild(invalidate, {
      workflowId: invalidateWorkflowId(credentialId, death.epoch, input.sessionId),
      args: [{ credentialId, provider: input.provider, ...death }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  setSearchAttributes({ Stage: 'ended', Outcome: 'restored' });
  setCurrentDetails(`Connected as ${connection.entityId}. Integrations put back to work: ${restored}.`);
  await condition(allHandlersFinished);
  return { ...connection, restored };
}

/** A fresh failure for each thrower: one object thrown by handler and main alike would be encoded twice. */
function refusal(code = 'internal'): ApplicationFailure {
  return ApplicationFailure.create({ message: `The attempt ended: ${code}`, type: code, nonRetryable: true });
}
