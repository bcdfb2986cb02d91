import type { CredentialId, IntegrationId, SessionId } from '../domain/ids.js';

/**
 * Workflow ids are locks: one run per attempt, per tested generation, per death. They are plain text everywhere.
 */
export const reauthWorkflowId = (sessionId: SessionId) => `reauth/${sessionId}`;
export const testWorkflowId = (credentialId: CredentialId, generation: number) => `test/${credentialId}/${generation}`;
/** One token POST for one generation. A run that gave up raises the try, so that another may begin. */
export const refreshWorkflowId = (credentialId: CredentialId, generation: number, refreshTry: number) =>
  `refresh/${credentialId}/${generation}/${refreshTry}`;
/** `scope` is the integration for which a known death is told again, after it was created on a dead credential. */
export const invalidateWorkflowId = (credentialId: CredentialId, epoch: number, scope?: string) =>
  scope === undefined ? `invalidate/${credentialId}/${epoch}` : `invalidate/${credentialId}/${epoch}/${scope}`;
/** One deletion per mark. */
export const deletionWorkflowId = (credentialId: CredentialId, epoch: number) => `delete/${credentialId}/${epoch}`;
/** One consumer of deliveries per integration. */
export const webhooksWorkflowId = (integrationId: IntegrationId) => `webhooks/${integrationId}`;
export const sweepScheduleId = 'relink-sweep';
export const sweepWorkflowId = 'sweep';

/** The reauth update that answers once credential and entity are stored. A constant id makes repeats attach. */
export const connectedUpdateName = 'connected';
export const connectedUpdateId = 'connected';

/** Says that there may be something to do. Carries nothing: what there is, is in the database. */
export const wakeSignalName = 'wake';

/**
 * The refresh update that answers once the outcome, or a longer wait, is known. A constant id makes callers share it; once
 * the time that it told is over, they share another.
 */
export const refreshedUpdateName = 'refreshed';
export const refreshedUpdateId = 'refreshed';
