import { z } from 'zod';

/** `refresh`: requests of the token endpoint with a refresh token, and no others. */
export const faultEndpoints = ['token', 'refresh', 'identity', 'revoke'] as const;
export type FaultEndpoint = (typeof faultEndpoints)[number];

/** Body of `POST /control/faults`. */
export const faultSchema = z
  .strictObject({
    endpoint: z.enum(faultEndpoints),
    /**
     * `status` (the default where a status is given): that status, with `body` or a plausible one.
     * `hang`: no answer ever. `reset`: the connection is reset once the request has been read.
     * `garbage`: bytes that are no JSON under a JSON content type. `html`: a proxy's page. `empty`: no body at all.
     * `huge`: JSON of 10 MB. Status 200 for these four unless given.
     * `lost`: the request is carried out and its answer lost: the unknown outcome.
     * `late`: the request is carried out at once, and its true answer comes after `delayMs`.
     * `slow` (the default where only `delayMs` is given): nothing happens for `delayMs`, then all goes well.
     * `altered` (the default where `alter` or `omit` is given): the true answer with those fields set or left out.
     */
    kind: z
      .enum(['status', 'hang', 'reset', 'garbage', 'html', 'empty', 'huge', 'lost', 'late', 'slow', 'altered'])
      .optional(),
    status: z.int().min(200).max(599).optional(),
    /** Answers to spoil; without it, until cleared or until another fault is posted for the endpoint. */
    count: z.int().min(1).max(1_000_000).optional(),
    /** Value of the Retry-After header: seconds, or any text such as an HTTP date. */
    retryAfter: z.union([z.number(), z.string().max(100)]).optional(),
    delayMs: z.int().min(0).max(600_000).optional(),
    body: z.json().optional(),
    alter: z.record(z.string(), z.json()).optional(),
    omit: z.array(z.string()).optional(),
  })
  .transform(fault => ({ ...fault, kind: fault.kind ?? defaultKind(fault) }))
  .refine(fault => fault.kind !== 'status' || fault.status !== undefined, { error: 'status is required' })
  .refine(fault => fault.kind !== 'late' || fault.delayMs !== undefined, { error: 'delayMs is required' });

export type Fault = z.infer<typeof faultSchema>;

function defaultKind(fault: { status?: unknown; delayMs?: unknown; alter?: unknown; omit?: unknown }) {
  if (fault.alter !== undefined || fault.omit !== undefined) return 'altered' as const;
  return fault.status !== undefined || fault.delayMs === undefined ? ('status' as const) : ('slow' as const);
}

/** The faults waiting to happen, first come first served for each endpoint. */
export class FaultPlan {
  #queue: { readonly fault: Fault; left: number }[] = [];

  /** An unlimited fault gives way to the next one for its endpoint: nothing behind it would ever be reached. */
  add(fault: Fault): void {
    this.#queue = this.#queue.filter(item => item.fault.endpoint !== fault.endpoint || item.left !== Infinity);
    this.#queue.push({ fault, left: fault.count ?? Infinity });
  }

  clear(): void {
    this.#queue = [];
  }

  /** The next fault for any of these endpoints: a refresh is a request of the token endpoint too. */
  take(...endpoints: readonly FaultEndpoint[]): Fault | undefined {
    const item = this.#queue.find(candidate => endpoints.includes(candidate.fault.endpoint));
    if (!item) return undefined;
    item.left -= 1;
    if (item.left <= 0) this.#queue = this.#queue.filter(candidate => candidate !== item);
    return item.fault;
  }
}
