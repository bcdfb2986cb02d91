import { setTimeout as sleep } from 'node:timers/promises';
import { sendWebhook } from '../../embedded/sandbox/send-webhook.js';
import type { SandboxControl } from '../sandbox-control.js';
import type { Receiver } from './receiver.js';
import { type Answer, ApiClient, type AnswerBody } from '../api-client.js';

/** What a story plays on: the running service, the provider's control API, and a narrator. */
export interface StageSettings {
  readonly relinkUrl: string;
  readonly apiKey: string;
  readonly sandbox: SandboxControl;
  readonly webhookSecret: string;
  readonly receiver: Receiver;
  /** How many lines of level error the service has logged. */
  readonly errorLines: () => number;
}

export class Stage {
  steps = 0;
  /** The provider's control API. */
  readonly sandbox: SandboxControl;
  private delivery = 0;

  constructor(
    private readonly settings: StageSettings,
    private readonly say: (line: string) => void,
  ) {
    this.sandbox = settings.sandbox;
  }

  user(name: string): ApiClient {
    return new ApiClient(this.settings.relinkUrl, this.settings.apiKey, name);
  }

  /** Does one step and tells what came of it. A step that throws ends its story. */
  async step<T>(what: string, act: () => Promise<T>, tell: (result: T) => string = () => 'done'): Promise<T> {
    const result = await act();
    this.steps += 1;
    this.say(`    ${what}: ${tell(result)}`);
    return result;
  }

  /** Posts one webhook as the provider does; answers the HTTP status. */
  sendWebhook(integrationId: string, n: number): Promise<number> {
    this.delivery += 1;
    return sendWebhook({
      relinkUrl: this.settings.relinkUrl,
      integrationId,
      secret: this.settings.webhookSecret,
      deliveryId: `demo-${this.delivery}`,
      body: JSON.stringify({ n, event: 'contact.updated' }),
    });
  }

  receiverUrl(story: string): string {
    return this.settings.receiver.url(story);
  }

  /** Waits as long as more arrive: how long a thousand take is the machine's affair. */
  async untilReceived(story: string, count: number): Promise<readonly number[]> {
    let seen = 0;
    let deadline = 0;
    for (;;) {
      const received = this.settings.receiver.received(story);
      if (received.length > seen || deadline === 0) deadline = Date.now() + 60_000;
      seen = received.length;
      if (seen >= count || Date.now() > deadline) return received;
      await sleep(50);
    }
  }

  errorLines(): number {
    return this.settings.errorLines();
  }

  /** Fails unless the provider's identity call takes the token. */
  async expectAccepted(token: string): Promise<void> {
    const { status } = await fetch(`${this.sandbox.url}/identity`, { headers: { authorization: `Bearer ${token}` } });
    expectThat(status === 200, `the provider answered ${status} to the token`);
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
