import type { CauseCode } from '../domain/cause.js';
import type { CredentialId, IntegrationId, IntegrationType, ProviderId } from '../domain/ids.js';
import { setLifecycle } from '../domain/integration-state.js';
import { changeIntegration, type ChangeableIntegration, type IntegrationRows } from './change-integration.js';
import { noteLivingCredentials } from './note-living-credentials.js';
import type { IntegrationCatalogue } from './load-integrations.js';
import { settledLifecycle } from './settle-config.js';

/** How long a known death may take to be told to the new integration; past it, the sweep goes on. Milliseconds. */
const invalidateDeadlineMs = 5_000;

interface CreatedIntegration extends ChangeableIntegration {
  readonly type: IntegrationType;
}

/** The part of a credential's row that decides. */
interface CredentialStanding {
  readonly id: CredentialId;
  readonly provider: ProviderId;
  readonly authIsValid: boolean;
  readonly epoch: number;
  readonly verdict: { readonly code: CauseCode; readonly httpStatus: number | null } | null;
}

export interface CreationDependencies<Row extends CreatedIntegration> {
  readonly store: IntegrationRows<Row> & {
    getCurrentCredentialIds(id: IntegrationId): Promise<ReadonlySet<CredentialId>>;
    getCredential(id: CredentialId): Promise<CredentialStanding | null>;
    compareAndSetSubscription(
      id: IntegrationId,
      version: number,
      write: { sealedSecrets: null; expiresAt: null; dueAt: Date; failure: null },
    ): Promise<unknown>;
  };
  readonly workflows: {
    runInvalidate(
      input: {
        readonly credentialId: CredentialId;
        readonly provider: ProviderId;
        readonly epoch: number;
        readonly code: CauseCode;
        readonly httpStatus: number | null;
      },
      scope: string,
      deadlineMs: number,
    ): Promise<unknown>;
    wakeWebhooks(id: IntegrationId): Promise<void>;
  };
  readonly integrations: IntegrationCatalogue;
  readonly now: () => Date;
}

/**
 * Takes an integration out of `creating`. Its credentials are read after its row was written: a death that came
 * earlier missed the row, so it is told again, by the workflow that alone adds causes; a death that comes later finds
 * the row. Only then may the row become ENABLED, else an integration would run on a dead credential without a cause.
 *
 * Safe to repeat and to run twice at once.
 *
 * @returns The row as it stands after: still `creating` when a death could not be told in time; null when it is gone.
 */
export async function finishCreation<Row extends CreatedIntegration>(
  { store, workflows, integrations, now }: CreationDependencies<Row>,
  integration: Row,
): Promise<Row | null> {
  for (const credentialId of await store.getCurrentCredentialIds(integration.id)) {
    const credential = await store.getCredential(credentialId);
    if (credential === null || credential.authIsValid) continue;
    const { provider, epoch, verdict } = credential;
    const told = await workflows.runInvalidate(
      {
        credentialId,
        provider,
        epoch,
        code: verdict?.code ?? 'credential_refused',
        httpStatus: verdict?.httpStatus ?? null,
      },
      integration.id,
      invalidateDeadlineMs,
    );
    if (told === null) return await store.getIntegration(integration.id);
  }
  // Written before the row may become ENABLED: should nobody come to wake it, the sweep finds it due.
  const subscribes = integrations.find(integration.type)?.ensureSubscription !== undefined;
  if (subscribes) {
    const due = { sealedSecrets: null, expiresAt: null, dueAt: now(), failure: null };
    await store.compareAndSetSubscription(integration.id, 0, due);
  }
  const change = await changeIntegration(
    store,
    integration.id,
    async (state, row) =>
      state.lifecycle === 'creating'
        ? setLifecycle(
            await noteLivingCredentials(store, row.id, state),
            settledLifecycle(integrations.find(row.type), row.config),
          )
        : state,
    now,
  );
  if (subscribes && change !== null) await workflows.wakeWebhooks(integration.id);
  return change === null ? null : change.after;
}
