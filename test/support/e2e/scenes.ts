import type { ApiClient } from '../../../src/cli/api-client.js';
import type { E2eStack } from './start-e2e-stack.js';

/** A consent that was given and has to be delivered yet. */
export type Consent = Awaited<ReturnType<ApiClient['consent']>>;

/** What several tests begin with. */
export interface Connected {
  readonly entityId: string;
  readonly credentialId: string;
  readonly integrationId: string;
  readonly integrationPath: string;
  readonly credentialPath: string;
}

/** A user whose integration was in ERROR and who has consented anew. */
export interface Reconnect {
  readonly user: ApiClient;
  readonly old: Connected;
  readonly consent: Consent;
}

export async function untilRestored(user: ApiClient, attempt: string, withinMs = 45_000): Promise<void> {
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored', withinMs);
}

/** A connected account with an integration that is ENABLED. */
export async function connectAndIntegrate(user: ApiClient, account: string): Promise<Connected> {
  const { attempt, status, body } = await user.connect(account);
  if (status !== 200) throw new Error(`the callback answered ${status}`);
  await untilRestored(user, attempt);
  const created = await user.post('/api/integrations', {
    type: 'contact-sync',
    entities: [body.entity_id],
    config: {},
  });
  if (created.body.status !== 'ENABLED') throw new Error(`the integration is ${created.body.status}`);
  const { entity_id: entityId = '', credential_id: credentialId = '' } = body;
  const { id: integrationId = '' } = created.body;
  return {
    ...{ entityId, credentialId, integrationId },
    integrationPath: `/api/integrations/${integrationId}`,
    credentialPath: `/api/credentials/${credentialId}`,
  };
}

/** The grant dies at the provider, a test finds out, and the integration is in ERROR with its cause. */
export async function breakGrant(stack: E2eStack, user: ApiClient, account: string, of: Connected): Promise<void> {
  await stack.sandbox.revoke(account);
  const { status } = await user.post(`${of.credentialPath}/test`);
  if (status !== 202) throw new Error(`the test answered ${status}`);
  await user.until(of.integrationPath, found => found.status === 'ERROR' && found.causes?.length === 1);
  await user.until(of.credentialPath, found => found.last_test?.outcome === 'refused');
}

/** Fails unless the integration is ENABLED without causes on a valid credential. */
export async function expectWorking(user: ApiClient, of: Connected): Promise<void> {
  expect((await user.get(of.integrationPath)).body).toMatchObject({ status: 'ENABLED', causes: [] });
  expect((await user.get(of.credentialPath)).body).toMatchObject({ auth_is_valid: true });
}
