/** A request to the provider of one of the integration's entities. */
export interface ProviderRequest {
  /** Which of the integration's entities; its only one unless given. */
  readonly entityId?: string;
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path below the provider's API, or a full address on one of its hosts. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; `body` is sent as it is. At most one of the two. */
  readonly json?: unknown;
  readonly body?: string;
  /** For everything, the answer's last byte included. Milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

export interface ProviderResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface HandlerLog {
  info(message: string, fields?: Readonly<Record<string, string | number | boolean | null>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean | null>>): void;
}

/** What a handler works with. */
export interface HandlerContext {
  readonly integrationId: string;
  readonly userId: string;
  readonly entities: readonly { readonly id: string; readonly provider: string; readonly externalId: string }[];
  readonly config: Readonly<Record<string, unknown>>;
  /** Where this integration's webhooks go. */
  readonly webhookUrl: string;
  /** The same for every attempt at one delivery: give it to whoever can deduplicate by it. */
  readonly idempotencyKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly log: HandlerLog;
  /** Aborted when the time is up, the worker stops, or the claim is lost. */
  readonly signal: AbortSignal;
  /**
   * Calls the provider with the entity's token, which is refreshed ahead of its end. A 401 is looked into once for all
   * callers: the token is refreshed and the call made once more, or tested where it cannot be refreshed. When the
   * credential turns out dead, this throws and the delivery stays held; else a 401 that remains is the answer.
   *
   * Throws with `code` `rate_limited` on a 429, and `refresh_pending` while no new token is to be had: a handler that
   * lets these pass runs again when the provider said.
   */
  request(request: ProviderRequest): Promise<ProviderResponse>;
}

/** Thrown by a handler that knows better than the usual retries. Its message is shown to operators. */
export class HandlerError extends Error {
  override readonly name = 'HandlerError';
  /** False: the delivery is FAILED now, whatever attempts are left. */
  readonly retryable: boolean;
  /** Milliseconds to the next attempt, instead of the usual ones. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {}) {
    super(message);
    this.retryable = options.retryable ?? true;
    this.retryAfterMs = options.retryAfterMs;
  }
}
