import { z } from 'zod';
import { parseEndpoint } from '../providers/parse-endpoint.js';
import { parseRetryAfter } from '../providers/parse-retry-after.js';
import { sendRequest, type RequestResult } from '../providers/send-request.js';
import type { Secret } from '../vault/secret.js';
import type { BuiltInHandler } from './built-in-turn.js';
import type { HandlerAnswer } from './handler-host.js';
import { createForwardSigner } from './sign-forwarded.js';

export interface ForwardSettings {
  /** `whsec_…`, newest first: each request is signed with all of them. */
  readonly secrets: readonly Secret[];
  /** Lets plain http and connections through to this machine. */
  readonly allowLoopback: boolean;
}

const configSchema = z.object({ url: z.string() });
const longestRetryMs = 3_600_000;
/** Read so that the connection can be used again; a receiver has nothing to tell beyond its status. */
const maxAnswerBytes = 64 * 1024;

/**
 * The built-in type `forward`: posts the raw body to the adopter's own address, signed by Standard Webhooks
 * (github.com/standard-webhooks/standard-webhooks, spec). `webhook-id` is the idempotency key.
 *
 * @throws ConfigError when a secret is malformed.
 */
export function createForwardHandler({ secrets, allowLoopback }: ForwardSettings): BuiltInHandler {
  const sign = createForwardSigner(secrets);
  return async ({ task, facts, timeoutMs }, _services, signal) => {
    if (task.kind !== 'webhook') return { kind: 'done', subscription: null };
    if (secrets.length === 0) return failed('handler_failed', 'RELINK_FORWARD_SECRETS is not set');
    const config = configSchema.safeParse(facts.config);
    const url = config.success ? parseEndpoint(config.data.url, allowLoopback) : null;
    if (url === null) return failed('destination_refused', 'config.url must be an https address');
    const { delivery } = task;
    const body = Buffer.from(delivery.body);
    const at = new Date();
    const result = await sendRequest({
      method: 'POST',
      url: url.href,
      headers: {
        'content-type': delivery.headers['content-type'] ?? 'application/octet-stream',
        'webhook-id': facts.idempotencyKey,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': sign(facts.idempotencyKey, at, body),
        'relink-integration-id': facts.integrationId,
        'relink-provider': delivery.provider,
        'relink-attempt': String(facts.attempt),
      },
      body,
      // Ends ahead of the call's own time, so that the answer says what was late.
      timeoutMs: timeoutMs * 0.9,
      maxBodyBytes: maxAnswerBytes,
      cutBody: true,
      signal,
      allowLoopback,
      keepAlive: true,
    });
    if (result.kind === 'failed') return failed('destination_unreachable', describeUnreachable(result));
    const { status, headers } = result;
    if (status >= 200 && status < 300) return { kind: 'done', subscription: null };
    // 410 is how a receiver says that it is gone for good.
    if (status === 410) return { ...failed('handler_refused', 'HTTP 410'), retryable: false };
    const waitMs = parseRetryAfter(headers['retry-after'], at);
    return {
      ...failed('destination_refused', `HTTP ${status}`),
      retryAfterMs: waitMs === null ? null : Math.min(waitMs, longestRetryMs),
    };
  };
}

/** What is wrong on the way there, in the words an operator looks for. */
function describeUnreachable({ reason, code }: Extract<RequestResult, { kind: 'failed' }>): string {
  if (reason !== 'network' || code === null) return reason;
  const known = networkFailures.find(([codes]) => codes.test(code));
  return `${known?.[1] ?? 'network'} (${code})`;
}

const networkFailures: readonly (readonly [codes: RegExp, told: string])[] = [
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'host name not found'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'connection closed by the other side'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'no way to the host'],
  [/CERT|SELF_SIGNED|ISSUER|^ERR_TLS_|^ERR_SSL_|^EPROTO$/, 'TLS'],
];

type Failed = Extract<HandlerAnswer, { kind: 'failed' }>;

function failed(reason: Failed['reason'], detail: string): Failed {
  return { kind: 'failed', reason, detail, retryable: true, retryAfterMs: null };
}
