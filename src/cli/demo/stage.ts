import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ApiClient, type AnswerBody } from '../api-client.js';

/** What a story plays on: the running service, the provider's control API, and a narrator. */
export class Stage {
  steps = 0;

  constructor(
    private readonly relinkUrl: string,
    private readonly apiKey: string,
    private readonly sandbox: { readonly url: string; readonly controlKey: string },
    private readonly say: (line: string) => void,
  ) {}

  user(name: string): ApiClient {
    return new ApiClient(this.relinkUrl, this.apiKey, name);
  }

  /** Does one step and tells what came of it. A step that throws ends its story. */
  async step<T>(what: string, act: () => Promise<T>, tell: (result: T) => string = () => 'done'): Promise<T> {
    const result = await act();
    this.steps += 1;
    this.say(`    ${what}: ${tell(result)}`);
    return result;
  }

  async revokeAtProvider(account: string): Promise<void> {
    const response = await fetch(`${this.sandbox.url}/control/accounts/${account}/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.sandbox.controlKey}` },
    });
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} to the revocation`);
  }
}

/** Fails with what was seen instead. */
export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

export function must(answer: Answer, status: number): AnswerBody {
  expectThat(
    answer.status === status,
    `expected HTTP ${status}, got ${answer.status} ${JSON.stringify(answer.body.error)}`,
  );
  return answer.body;
}

export const describeStatus = (body: AnswerBody) =>
  `${body.status}${(body.causes ?? []).map(cause => ` because "${cause.text}"`).join('')}`;

/** Waits for a status that must not come: gives it time to be wrong. */
export async function staysAt(user: ApiClient, path: string, status: string, forMs: number): Promise<AnswerBody> {
  await sleep(forMs);
  const { body } = await user.get(path);
  expectThat(body.status === status, `expected ${status} to stay, saw ${body.status}`);
  return body;
}
