import { z } from 'zod';

const countersSchema = z.object({
  token_requests: z.number(),
  identity_requests: z.number(),
  by_grant_type: z.record(z.string(), z.number()),
});

/** The sandbox provider's control API, as the demo and the benchmarks use it; src/embedded/sandbox says what is there. */
export class SandboxControl {
  constructor(
    readonly url: string,
    private readonly controlKey: string,
  ) {}

  /** Ends every grant and key of an account. */
  async revoke(account: string): Promise<void> {
    await this.call('POST', `/accounts/${account}/revoke`);
  }

  /** Ends its access tokens, as if their time had come. */
  async expire(account: string): Promise<void> {
    await this.call('POST', `/accounts/${account}/expire`);
  }

  async setPolicy(account: string, policy: object): Promise<void> {
    await this.call('PUT', `/accounts/${account}/policy`, policy);
  }

  async addFault(fault: object): Promise<void> {
    await this.call('POST', '/faults', fault);
  }

  async clearFaults(): Promise<void> {
    await this.call('DELETE', '/faults');
  }

  /** Requests that arrived since the last reset. */
  async readCounters(): Promise<z.infer<typeof countersSchema>> {
    return countersSchema.parse(await (await this.call('GET', '/counters')).json());
  }

  async resetCounters(): Promise<void> {
    await this.call('DELETE', '/counters');
  }

  private async call(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(`${this.url}/control${path}`, {
      method,
      headers: { authorization: `Bearer ${this.controlKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${method} ${path}`);
    return response;
  }
}
