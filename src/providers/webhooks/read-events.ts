import { createHash } from 'node:crypto';
import type { WebhookDefinition, WebhookRequest } from './definition.js';
import { readHeader, readJson, readPath, readText } from './read-request.js';

export interface WebhookEvent {
  /** Null where the provider gives none: then nothing is deduplicated. */
  readonly externalId: string | null;
  readonly accountId: string | null;
  readonly body: Buffer;
}

const longestId = 200;
/** A batch with more is taken as one event: no provider sends so many. */
const longestBatch = 1000;

/** What a webhook holds: itself, or the events of its batch. Any bytes will do; parsing is the handler's. */
export function readEvents(definition: WebhookDefinition, request: WebhookRequest): readonly WebhookEvent[] {
  const { deliveryId, accountId, batch } = definition;
  const parsed = needsJson(definition) ? readJson(request.body) : undefined;
  const id =
    deliveryId === null
      ? null
      : 'header' in deliveryId
        ? readHeaderId(request, deliveryId)
        : readText(parsed, deliveryId.bodyPath);
  const account = (value: unknown) =>
    accountId === null
      ? null
      : typeof accountId === 'string'
        ? readText(value, accountId)
        : readHeader(request, accountId.header);

  const events = batch === undefined ? undefined : readPath(parsed, batch.events);
  if (batch === undefined || !Array.isArray(events) || events.length === 0 || events.length > longestBatch) {
    return [{ externalId: shorten(id), accountId: account(parsed), body: request.body }];
  }
  const bodies = writeEach(events);
  if (bodies === null) return [{ externalId: shorten(id), accountId: account(parsed), body: request.body }];
  return events.map((event: unknown, index): WebhookEvent => {
    const own = batch.id === null ? null : readText(event, batch.id);
    const fromBatch = id === null ? null : `${id}/${index}`;
    return {
      externalId: shorten(own ?? fromBatch),
      accountId: account(event) ?? account(parsed),
      body: bodies[index] ?? request.body,
    };
  });
}

/** Null for events nested too deep to be written: reading them has no such limit. */
function writeEach(events: readonly unknown[]): readonly Buffer[] | null {
  try {
    return events.map(event => Buffer.from(JSON.stringify(event), 'utf8'));
  } catch {
    return null;
  }
}

function readHeaderId(request: WebhookRequest, id: { header: string; within?: string }): string | null {
  const own = readHeader(request, id.header);
  if (own === null || id.within === undefined) return own;
  const scope = readHeader(request, id.within);
  return scope === null ? null : `${scope}/${own}`;
}

function needsJson({ deliveryId, accountId, batch }: WebhookDefinition): boolean {
  return batch !== undefined || typeof accountId === 'string' || (deliveryId !== null && 'bodyPath' in deliveryId);
}

/** Printable ASCII of a fair length stays as it is; anything else becomes its hash, which is as unique. */
function shorten(id: string | null): string | null {
  if (id === null || /^[\x21-\x7e]{1,200}$/.test(id)) return id;
  return `sha256:${createHash('sha256').update(id).digest('hex')}`.slice(0, longestId);
}
