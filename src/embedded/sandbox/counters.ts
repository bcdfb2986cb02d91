/** The answer of `GET /control/counters`. Requests count when they arrive, whatever is answered. */
export interface SandboxCounters {
  token_requests: number;
  identity_requests: number;
  by_grant_type: Record<string, number>;
}

export class Counters {
  #values = emptyCounters();

  addTokenRequest(): void {
    this.#values.token_requests += 1;
  }

  addGrantType(grantType: string | undefined): void {
    // Only names we know become keys: the request must not choose them.
    const key = grantType === 'authorization_code' || grantType === 'refresh_token' ? grantType : 'other';
    this.#values.by_grant_type[key] = (this.#values.by_grant_type[key] ?? 0) + 1;
  }

  addIdentityRequest(): void {
    this.#values.identity_requests += 1;
  }

  read(): SandboxCounters {
    return { ...this.#values, by_grant_type: { ...this.#values.by_grant_type } };
  }

  reset(): void {
    this.#values = emptyCounters();
  }
}

function emptyCounters(): SandboxCounters {
  return { token_requests: 0, identity_requests: 0, by_grant_type: {} };
}
