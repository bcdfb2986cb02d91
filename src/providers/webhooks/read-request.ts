import { parseJson } from '../../parse-json.js';
import type { JsonPath, WebhookRequest } from './definition.js';

/** A header's one value; null when it is missing, empty, or came several times: then nobody knows which one counts. */
export function readHeader({ headers }: Pick<WebhookRequest, 'headers'>, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The body as JSON; undefined when it is none. */
export const readJson = (body: Buffer): unknown => parseJson(body.toString('utf8'));

/** The value at a path of own properties; undefined where there is none. */
export function readPath(value: unknown, path: JsonPath): unknown {
  if (path === '') return value;
  let current = value;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = Reflect.get(current, key);
  }
  return current;
}

/**
 * A text or a whole number at a path, as a text; null for anything else. Numbers beyond 2^53 count as none: reading JSON
 * rounds them, and two ids that became one would make one delivery of two.
 */
export function readText(value: unknown, path: JsonPath): string | null {
  const found = readPath(value, path);
  if (typeof found === 'string' && found !== '') return found;
  return typeof found === 'number' && Number.isSafeInteger(found) ? String(found) : null;
}
