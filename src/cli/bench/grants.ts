import { ApiClient, type Answer } from '../api-client.js';
import type { BenchStack } from './start-bench-stack.js';
import { adopterRedirect } from './start-bench-stack.js';

/** A consent that was given and whose code waits to be delivered. */
export interface Grant {
  readonly attempt: string;
  readonly user: ApiClient;
  readonly code: string;
  readonly state: string;
  readonly iss: string;
}

let users = 0;

/** Drives the consent page, untimed, once per grant; each is a user of its own. Codes live for a minute. */
export async function prepareGrants(stack: BenchStack, count: number): Promise<Grant[]> {
  const grants: Grant[] = [];
  for (let index = 0; index < count; index += 1) {
    users += 1;
    const user = new ApiClient(stack.url, stack.apiKey, `bench-${users}`);
    const { attempt, finalUrl } = await user.consent('globex', { redirectUri: adopterRedirect });
    const { searchParams } = new URL(finalUrl);
    const [code, state, iss] = ['code', 'state', 'iss'].map(name => searchParams.get(name) ?? '');
    grants.push({ attempt, user, code: code ?? '', state: state ?? '', iss: iss ?? '' });
  }
  return grants;
}

/** The whole `POST /api/authorize`. */
export function deliver({ user, code, state, iss }: Grant): Promise<Answer> {
  return user.post('/api/authorize', { entityType: 'sandbox', data: { code, state, iss } });
}
