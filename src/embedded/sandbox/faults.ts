import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readBody, sendJson } from './http-messages.js';

/** Body of `POST /control/faults`. */
export const faultSchema = z
  .strictObject({
    endpoint: z.enum(['token', 'identity']),
    /**
     * `status` (the default where a status is given): that status, with `body` or a plausible one.
     * `hang`: no answer ever. `reset`: the connection is reset once the request has been read.
     * `garbage`: bytes that are no JSON under a JSON content type; status 200 unless given.
     * `lost`: the request is carried out and its answer lost: the unknown outcome.
     * `slow` (the default where only `delayMs` is given): the true answer, late.
     */
    kind: z.enum(['status', 'hang', 'reset', 'garbage', 'lost', 'slow']).optional(),
    status: z.int().min(200).max(599).optional(),
    /** Answers to spoil; without it, until cleared or until another fault is posted for the endpoint. */
    count: z.int().min(1).max(1_000_000).optional(),
    /** Value of the Retry-After header: seconds, or any text such as an HTTP date. */
    retryAfter: z.union([z.number(), z.string().max(100)]).optional(),
    delayMs: z.int().min(0).max(600_000).optional(),
    body: z.json().optional(),
  })
  .transform(({ kind, ...rest }) => ({
    ...rest,
    kind: kind ?? (rest.status !== undefined || rest.delayMs === undefined ? ('status' as const) : ('slow' as const)),
  }))
  .refine(fault => fault.kind !== 'status' || fault.status !== undefined, { error: 'status is required' });

export type Fault = z.infer<typeof faultSchema>;
export type FaultEndpoint = Fault['endpoint'];

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

  take(endpoint: FaultEndpoint): Fault | undefined {
    const item = this.#queue.find(candidate => candidate.fault.endpoint === endpoint);
    if (!item) return undefined;
    item.left -= 1;
    if (item.left <= 0) this.#queue = this.#queue.filter(candidate => candidate !== item);
    return item.fault;
  }
}

/**
 * Answers a request as the fault says. `lost` and `slow` are not for here: they need the true answer.
 *
 * @param closing Ends a waiting delay when the sandbox stops.
 * @returns The request's body, for the counters.
 */
export async function applyFault(
  fault: Fault,
  req: IncomingMessage,
  res: ServerResponse,
  closing: AbortSignal,
): Promise<string> {
  const body = await readBody(req);
  if (fault.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: closing }).catch(() => undefined);
  if (res.destroyed || fault.kind === 'hang') return body;
  if (fault.kind === 'reset') {
    req.socket.resetAndDestroy();
    return body;
  }
  const headers = fault.retryAfter === undefined ? undefined : { 'retry-after': String(fault.retryAfter) };
  if (fault.kind === 'garbage') {
    res.writeHead(fault.status ?? 200, { 'content-type': 'application/json', ...headers });
    res.end('<<< this is not JSON >>>');
    return body;
  }
  const status = fault.status ?? 500;
  sendJson(res, status, fault.body ?? { error: defaultError(status, fault.endpoint) }, headers);
  return body;
}

function defaultError(status: number, endpoint: FaultEndpoint): string {
  if (status === 401) return endpoint === 'token' ? 'invalid_client' : 'invalid_token';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
