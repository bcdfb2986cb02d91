import { ApiClient } from '../../api-client.js';
import type { BenchStack } from '../start-bench-stack.js';

export interface Connected {
  readonly user: ApiClient;
  readonly credentialId: string;
  readonly integrationId: string;
}

let users = 0;

/** A new user with one account and one integration on it, by the public API. */
export async function connectAccount(
  stack: BenchStack,
  account: string,
  { entityType = 'sandbox', type = 'contact-sync' }: { readonly entityType?: string; readonly type?: string } = {},
): Promise<Connected> {
  users += 1;
  const user = new ApiClient(stack.url, stack.apiKey, `bench-${users}`);
  const { status, body, attempt } = await user.connect(account, { entityType });
  if (status !== 200) throw new Error(`The connect answered ${status}`);
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  const created = await user.post('/api/integrations', { type, entities: [body.entity_id] });
  if (created.status !== 201) throw new Error(`POST /api/integrations answered ${created.status}`);
  return { user, credentialId: body.credential_id ?? '', integrationId: created.body.id ?? '' };
}
