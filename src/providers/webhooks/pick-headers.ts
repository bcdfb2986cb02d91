import type { WebhookDefinition, WebhookRequest } from './definition.js';
import { readHeader } from './read-request.js';

const longestValue = 1024;
const always = ['content-type', 'user-agent'];

/** The few headers kept with a delivery: the content type, and those the provider's definition names. */
export function pickHeaders(definition: WebhookDefinition, request: WebhookRequest): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of definition.headers === undefined ? always : [...always, ...definition.headers]) {
    const value = readHeader(request, name);
    if (value !== null && value.length <= longestValue) kept[name] = value;
  }
  return kept;
}
