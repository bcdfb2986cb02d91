import { z } from 'zod';
import type { Sandbox } from '../../../src/embedded/sandbox/start-sandbox.js';
import { callControl } from '../sandbox-client.js';
import { until } from './until.js';

const countersSchema = z.object({ token_requests: z.number(), identity_requests: z.number() });

/** The sandbox provider in its own process, by its control API. */
export class SandboxRemote {
  private readonly address: Sandbox;

  constructor(
    readonly url: string,
    readonly controlKey: string,
  ) {
    this.address = { url, controlKey, close: async () => undefined };
  }

  async untilServing(): Promise<void> {
    await until('the sandbox serves', () =>
      fetch(this.url).then(
        () => true,
        () => false,
      ),
    );
  }

  revoke(account: string): Promise<void> {
    return this.post(`/accounts/${account}/revoke`);
  }

  /** Ends the access tokens only. */
  expire(account: string): Promise<void> {
    return this.post(`/accounts/${account}/expire`);
  }

  /** Makes a key of the account, in the form of `fields` of `POST /api/credentials`. */
  async makeKey(account: string, kind: 'api_key' | 'basic' | 'client_credentials'): Promise<Record<string, string>> {
    const answer = await callControl(this.address, 'POST', `/accounts/${account}/keys`, { body: { kind } });
    return z.record(z.string(), z.string()).parse(await answer.json());
  }

  /** See faults.ts for what can go wrong. */
  fault(fault: Record<string, unknown>): Promise<void> {
    return this.post('/faults', fault);
  }

  async clearFaults(): Promise<void> {
    await callControl(this.address, 'DELETE', '/faults');
  }

  async counters(): Promise<z.infer<typeof countersSchema>> {
    return countersSchema.parse(await (await callControl(this.address, 'GET', '/counters')).json());
  }

  /** Token requests while `during` ran, answered or not. */
  async countTokenRequests(during: () => Promise<unknown>): Promise<number> {
    const before = (await this.counters()).token_requests;
    await during();
    return (await this.counters()).token_requests - before;
  }

  /** Runs `act` and waits until the endpoint was asked `times` times more than before it. */
  async untilAsked<T>(endpoint: 'token' | 'identity', act: () => T, times = 1): Promise<T> {
    const key = `${endpoint}_requests` as const;
    const before = (await this.counters())[key];
    const acted = act();
    await until(`the ${endpoint} endpoint is asked`, async () => (await this.counters())[key] >= before + times);
    return acted;
  }

  private async post(path: string, body?: unknown): Promise<void> {
    const { ok, status } = await callControl(this.address, 'POST', path, { body });
    if (!ok) throw new Error(`the sandbox answered ${status} to POST ${path}`);
  }
}
