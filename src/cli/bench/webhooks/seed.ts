import { ApiClient } from '../../api-client.js';
import { SandboxControl } from '../../sandbox-control.js';
import type { BenchStack } from '../start-bench-stack.js';
import { noopType } from './noop-handlers.js';

export interface Seeded {
  readonly userId: string;
  readonly user: ApiClient;
  readonly entityId: string;
  readonly credentialId: string;
  /** Ids of the integrations, by the number of their type. */
  readonly integrationIds: readonly string[];
}

const atOnce = 8;

/** One user, one connected account, and so many integrations on it, all by the public API. */
export async function seed(
  stack: BenchStack,
  userId: string,
  account: string,
  count: number,
  config: (index: number) => Record<string, unknown> = () => ({}),
): Promise<Seeded> {
  const user = new ApiClient(stack.url, stack.apiKey, userId);
  const { status, body } = await user.connect(account);
  if (status !== 200) throw new Error(`The connect answered ${status}`);
  const entityId = body.entity_id ?? '';
  const integrationIds: string[] = [];
  let next = 0;
  const create = async () => {
    while (next < count) {
      const index = next++;
      const answer = await user.post('/api/integrations', {
        type: noopType(index),
        entities: [entityId],
        config: config(index),
      });
      if (answer.status !== 201) throw new Error(`POST /api/integrations answered ${answer.status}`);
      integrationIds[index] = answer.body.id ?? '';
    }
  };
  await Promise.all(Array.from({ length: atOnce }, create));
  return { userId, user, entityId, credentialId: body.credential_id ?? '', integrationIds };
}

export const pathOf = (integrationId: string) => `/api/webhooks/sandbox/${integrationId}`;

/** The grant dies at the provider, and a test finds out; resolves when every integration is in ERROR. */
export async function kill(stack: BenchStack, seeded: Seeded, account: string): Promise<void> {
  await new SandboxControl(stack.sandbox.url, stack.sandbox.controlKey).revoke(account);
  await seeded.user.post(`/api/credentials/${seeded.credentialId}/test`);
  for (const id of seeded.integrationIds) {
    await seeded.user.until(`/api/integrations/${id}`, body => body.status === 'ERROR', 60_000);
  }
}
