import { ApiClient, type Answer } from '../api-client.js';
import type { BenchStack } from './start-bench-stack.js';
import { adopterRedirect } from './start-bench-stack.js';

/** A consent that was given and whose code waits to be delivered. */
export interface Consent {
  readonly attempt: string;
  readonly user: ApiClient;
  readonly code: string;
  readonly state: string;
  readonly iss: string;
}

let users = 0;

/** Drives the consent page, untimed, once for each of `count` new users. Codes live for a minute. */
export async function prepareConsents(stack: BenchStack, count: number): Promise<Consent[]> {
  const consents: Consent[] = [];
  for (let index = 0; index < count; index += 1) {
    users += 1;
    const user = new ApiClient(stack.url, stack.apiKey, `bench-${users}`);
    const { attempt, finalUrl } = await user.consent('globex', { redirectUri: adopterRedirect });
    const { searchParams } = new URL(finalUrl);
    const [code, state, iss] = ['code', 'state', 'iss'].map(name => searchParams.get(name) ?? '');
    consents.push({ attempt, user, code: code ?? '', state: state ?? '', iss: iss ?? '' });
  }
  return consents;
}

/** The whole `POST /api/authorize`. */
export function deliver({ user, code, state, iss }: Consent): Promise<Answer> {
  return user.post('/api/authorize', { entityType: 'sandbox', data: { code, state, iss } });
}
