const knownGrantTypes: readonly string[] = ['authorization_code', 'refresh_token', 'client_credentials'];

/** The answer of `GET /control/counters`. Requests count when they have arrived, whatever is answered. */
export interface SandboxCounters {
  token_requests: number;
  identity_requests: number;
  revocation_requests: number;
  by_grant_type: Record<string, number>;
}

export class Counters {
  #values = emptyCounters();

  addTokenRequest(grantType: string | null): void {
    this.#values.token_requests += 1;
    // Only names we know become keys: the request must not choose them.
    const key = grantType !== null && knownGrantTypes.includes(grantType) ? grantType : 'other';
    this.#values.by_grant_type[key] = (this.#values.by_grant_type[key] ?? 0) + 1;
  }

  addIdentityRequest(): void {
    this.#values.identity_requests += 1;
  }

  addRevocationRequest(): void {
    this.#values.revocation_requests += 1;
  }

  read(): SandboxCounters {
    return { ...this.#values, by_grant_type: { ...this.#values.by_grant_type } };
  }

  reset(): void {
    this.#values = emptyCounters();
  }
}

function emptyCounters(): SandboxCounters {
  return { token_requests: 0, identity_requests: 0, revocation_requests: 0, by_grant_type: {} };
}
