import { z } from 'zod';
import type { ApiClient } from '../../src/cli/api-client.js';
import type { RefreshResult } from '../../src/contracts/workflows.js';
import type { RefreshOptions } from '../../src/credentials/credential-refresher.js';
import type { CredentialId } from '../../src/domain/ids.js';
import type { Credential } from '../../src/store/port/store.js';
import { idOf } from './ids.js';
import { recordHistory } from './record-history.js';
import { callControl } from './sandbox-client.js';
import type { TestStack } from './start-test-stack.js';

const grants = z.object({ by_grant_type: z.record(z.string(), z.number()) });

/**
 * What tests of refreshing do with a stack, which is started in their `beforeAll`. Accounts of the sandbox: Globex keeps
 * its refresh token, Initech rotates it and ends a grant whose old token comes again, Acme has none.
 */
export function createRefreshScene(stackOf: () => TestStack, grantType = 'refresh_token') {
  const control = (path: string, body?: unknown) =>
    callControl(stackOf().sandbox, 'POST', path, body === undefined ? {} : { body });

  async function readPosts(): Promise<number> {
    const counters: unknown = await (await callControl(stackOf().sandbox, 'GET', '/counters')).json();
    return grants.parse(counters).by_grant_type[grantType] ?? 0;
  }

  async function read(id: CredentialId): Promise<Credential> {
    const credential = await stackOf().core.store.getCredential(id);
    if (credential === null) throw new Error(`${id} is gone`);
    return credential;
  }

  return {
    control,
    read,
    mend: () => callControl(stackOf().sandbox, 'DELETE', '/faults'),
    spoil: (fault: Record<string, unknown>) => control('/faults', { endpoint: 'refresh', count: 1, ...fault }),

    /** Token requests that arrived at the provider while `act` ran. */
    async countPosts<Result>(act: () => Promise<Result>): Promise<{ posts: number; result: Result }> {
      const before = await readPosts();
      const result = await act();
      return { posts: (await readPosts()) - before, result };
    },

    async connect(user: ApiClient, account = 'globex'): Promise<Credential> {
      const { attempt, body } = await user.connect(account);
      await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
      return read(idOf('credential', body.credential_id));
    },

    /** An integration over all entities of the user; its id. */
    async integrate(user: ApiClient): Promise<string> {
      const entities = (await user.get('/api/entities')).body.data?.map(entity => entity.id);
      const { status, body } = await user.post('/api/integrations', { type: 'contact-sync', entities });
      expect(status).toBe(201);
      return idOf('integration', body.id);
    },

    /** A process answers callers that come late for the same 401 from what it heard a moment ago. */
    forgotten: () => new Promise(resolve => setTimeout(resolve, 1_100)),
    refresh: (credential: Credential, options: RefreshOptions = {}) =>
      stackOf().core.refresher.refresh(credential, { deadlineMs: 20_000, ...options }),
    resultOf: ({ id }: Credential, generation = 1, refreshTry = 0) =>
      stackOf()
        .core.client.workflow.getHandle(`refresh/${id}/${generation}/${refreshTry}`)
        .result() as Promise<RefreshResult>,
    record: ({ id }: Pick<Credential, 'id'>, name: string, generation = 1, refreshTry = 0) =>
      recordHistory(stackOf().core.client, `refresh/${id}/${generation}/${refreshTry}`, name),
    outcomeOf: async (integrationId: string, user: ApiClient) =>
      (await user.get(`/api/integrations/${integrationId}`)).body,
    errorLinesOf: ({ id }: Pick<Credential, 'id'>) =>
      stackOf().logLines.filter(line => line.includes('"level":"error"') && line.includes(id)),
  };
}
