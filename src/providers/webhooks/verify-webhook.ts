import { isUtf8 } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { equalsConstantTime } from '../../vault/hash.js';
import type { Secret } from '../../vault/secret.js';
import type { SignatureScheme, TimestampPlace, TokenPlace, WebhookDefinition, WebhookRequest } from './definition.js';
import { decodeSignature } from './decode-signature.js';
import { readHeader, readJson, readPath, readText } from './read-request.js';
import type { RefusalCode } from './refusal-code.js';
import { verifyJwt } from './verify-jwt.js';

const defaultToleranceSeconds = 300;
const missing = 'webhook_signature_missing';
const wrong = 'webhook_signature_wrong';
const stale = 'webhook_signature_stale';

/**
 * Whether a webhook is the provider's own: null, or why it is refused. On the raw bytes, in constant time, within the
 * provider's time window, with every secret in rotation. Fails closed: without a secret nothing is accepted.
 */
export function verifyWebhook(
  definition: WebhookDefinition,
  request: WebhookRequest,
  configured: readonly Secret[],
  now: Date,
): RefusalCode | null {
  const { signature, toleranceSeconds = defaultToleranceSeconds } = definition;
  if (signature.kind === 'unsigned') return null;
  // Anybody can sign with an empty key.
  const secrets = configured.filter(secret => isUsable(signature, secret));
  if (secrets.length === 0) return 'webhook_secret_missing';
  switch (signature.kind) {
    case 'hmac':
      return verifyHmac(signature, toleranceSeconds, request, secrets, now);
    case 'standard-webhooks':
      return verifyStandard(toleranceSeconds, request, secrets, now);
    case 'jwt':
      return verifyJwt(readHeader(request, signature.header), secrets, now);
    case 'token': {
      const tokens = readTokens(signature.place, request);
      if (tokens.length === 0 || tokens.includes(null)) return missing;
      // A set, because a batch repeats its token.
      const isRight = (token: string | null) =>
        token !== null && matchesAny(secrets, secret => equalsConstantTime(token, secret.reveal()));
      return [...new Set(tokens)].every(isRight) ? null : wrong;
    }
  }
}

function isUsable(signature: SignatureScheme, secret: Secret): boolean {
  const decoded = signature.kind === 'hmac' && signature.secretEncoding === 'base64';
  return decoded ? Buffer.from(secret.reveal(), 'base64').length > 0 : secret.reveal() !== '';
}

function verifyHmac(
  scheme: Extract<SignatureScheme, { kind: 'hmac' }>,
  toleranceSeconds: number,
  request: WebhookRequest,
  secrets: readonly Secret[],
  now: Date,
): RefusalCode | null {
  const header = readHeader(request, scheme.header);
  if (header === null) return missing;
  const fields = scheme.listKey === undefined ? null : readList(header);
  const given = fields === null ? [header] : (fields.get(scheme.listKey ?? '') ?? []);
  if (given.length === 0) return missing;

  const time = scheme.timestamp === undefined ? null : readTimestamp(scheme.timestamp, request, fields);
  if (time !== null) {
    if (time.text === '') return missing;
    const ageMs = Math.abs(now.getTime() - time.atMs);
    // NaN fails the comparison, so a time that is none is stale too.
    if (!(ageMs <= toleranceSeconds * 1000)) return stale;
  }

  const { prefix = '', encoding } = scheme;
  const presented = given
    .filter(value => value.startsWith(prefix))
    .map(value => decodeSignature(value.slice(prefix.length), encoding))
    .filter(value => value !== null);
  if (presented.length === 0) return wrong;
  return matchesAny(secrets, secret => {
    const expected = computeHmac(scheme, request, time?.text ?? '', secret);
    return matchesAny(presented, value => value.length === expected.length && timingSafeEqual(value, expected));
  })
    ? null
    : wrong;
}

function computeHmac(
  scheme: Extract<SignatureScheme, { kind: 'hmac' }>,
  request: WebhookRequest,
  timestamp: string,
  secret: Secret,
): Buffer {
  const key = scheme.secretEncoding === undefined ? secret.reveal() : Buffer.from(secret.reveal(), 'base64');
  const hmac = createHmac(scheme.algorithm, key);
  for (const part of scheme.signed ?? ['body']) {
    if (part === 'body') hmac.update(request.body);
    else if (part === 'timestamp') hmac.update(timestamp);
    else if (part === 'method') hmac.update(request.method);
    else if (part === 'url') hmac.update(request.url);
    else hmac.update(part.text);
  }
  return hmac.digest();
}

function readTimestamp(
  place: TimestampPlace,
  request: WebhookRequest,
  fields: ReadonlyMap<string, readonly string[]> | null,
): { readonly text: string; readonly atMs: number } {
  if ('inSignature' in place) {
    const [text = '', ...more] = fields?.get(place.inSignature) ?? [];
    return { text, atMs: more.length > 0 ? NaN : Number(text) * 1000 };
  }
  const text =
    ('header' in place ? readHeader(request, place.header) : readText(readJson(request.body), place.bodyPath)) ?? '';
  const value = /^\d{1,17}$/.test(text) ? Number(text) : Date.parse(text) / (place.unit === undefined ? 1000 : 1);
  return { text, atMs: place.unit === undefined ? value * 1000 : value };
}

/** `t=1,v1=a,v1=b` as lists by name. */
function readList(header: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const item of header.split(',')) {
    const at = item.indexOf('=');
    if (at <= 0) continue;
    const name = item.slice(0, at).trim();
    fields.set(name, [...(fields.get(name) ?? []), item.slice(at + 1).trim()]);
  }
  return fields;
}

function verifyStandard(
  toleranceSeconds: number,
  request: WebhookRequest,
  secrets: readonly Secret[],
  now: Date,
): RefusalCode | null {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = readHeader(request, name);
    if (value === null) return missing;
    headers[name] = value;
  }
  const { 'webhook-timestamp': time = '', 'webhook-signature': signatures = '' } = headers;
  const ageSeconds = /^\d{1,12}$/.test(time) ? Math.abs(now.getTime() / 1000 - Number(time)) : Infinity;
  if (ageSeconds > toleranceSeconds) return stale;
  // The library reads the body as text, in which all bytes that are none look alike; and it forgives a list that is none.
  if (!isUtf8(request.body) || !/^v\w+,[\w+/=-]+(?: v\w+,[\w+/=-]+)*$/.test(signatures)) return wrong;
  return matchesAny(secrets, secret => {
    try {
      new Webhook(secret.reveal()).verify(request.body, headers, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  })
    ? null
    : wrong;
}

function readTokens(place: TokenPlace, request: WebhookRequest): readonly (string | null)[] {
  if ('header' in place) return [readHeader(request, place.header)];
  if ('query' in place) return [request.query[place.query] ?? null];
  if ('basic' in place) return [readPassword(readHeader(request, 'authorization') ?? '')];
  const { bodyPath, everyOf } = place;
  const parsed = readJson(request.body);
  if (everyOf === undefined) return [readText(parsed, bodyPath)];
  const items = readPath(parsed, everyOf);
  return Array.isArray(items) ? items.map((item: unknown) => readText(item, bodyPath)) : [];
}

/** RFC 7617. */
function readPassword(authorization: string): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? '';
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : null;
}

/** Looks at every one, so that the time taken does not tell which one matched. */
function matchesAny<Value>(values: readonly Value[], matches: (value: Value) => boolean): boolean {
  let found = false;
  for (const value of values) if (matches(value)) found = true;
  return found;
}
