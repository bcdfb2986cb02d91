import type { AnswerBody, ApiClient } from '../api-client.js';
import { describeStatus, must, type Stage } from './stage.js';

/** Scenes that several stories share; each one reads its outcome back through the public API. */

export interface Connected {
  readonly entityId: string;
  readonly credentialId: string;
}

/** @param query What the attempt is begun with besides; with `entityId` it is a reconnect. */
export async function connect(
  stage: Stage,
  user: ApiClient,
  account: string,
  query: Record<string, string> = {},
): Promise<Connected> {
  const what =
    query['entityId'] === undefined ? `Connect ${account} through its consent page` : `Reconnect as ${account}`;
  return stage.step(
    what,
    async () => {
      const { status, body, attempt } = await user.connect(account, query);
      if (status !== 200) throw new Error(`the callback answered ${status} ${JSON.stringify(body.error)}`);
      await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
      return { entityId: body.entity_id ?? '', credentialId: body.credential_id ?? '' };
    },
    connected => `entity ${connected.entityId}, credential ${connected.credentialId}`,
  );
}

export async function integrate(
  stage: Stage,
  user: ApiClient,
  type: string,
  entities: readonly string[],
  config: Record<string, unknown> = {},
): Promise<string> {
  const body = await stage.step(
    `Create the integration ${type} on ${entities.length === 1 ? 'this account' : `${entities.length} accounts`}`,
    async () => must(await user.post('/api/integrations', { type, entities, config }), 201),
    created => `${created.id} is ${describeStatus(created)}`,
  );
  return body.id ?? '';
}

/** The grant dies at the provider, and a test of the credential finds out. */
export async function breakGrant(stage: Stage, user: ApiClient, account: string, credentialId: string): Promise<void> {
  await stage.step(`Revoke the grant of ${account} at the provider`, () => stage.sandbox.revoke(account));
  await stage.step(
    'Test the credential (a refusal is repeated with growing waits before it counts)',
    async () => {
      must(await user.post(`/api/credentials/${credentialId}/test`), 202);
      return user.until(
        `/api/credentials/${credentialId}`,
        body => body.auth_is_valid === false && body.last_test?.outcome === 'refused',
      );
    },
    () => 'the provider refuses the token, the credential is dead',
  );
}

export async function expectStatus(
  stage: Stage,
  user: ApiClient,
  integrationId: string,
  status: string,
): Promise<AnswerBody> {
  return stage.step(
    `Look at ${integrationId}`,
    () => user.until(`/api/integrations/${integrationId}`, body => body.status === status),
    describeStatus,
  );
}
