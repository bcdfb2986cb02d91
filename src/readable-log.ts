import type { DestinationStream } from 'pino';
import { z } from 'zod';
import { parseJson } from './parse-json.js';

const lineSchema = z.looseObject({
  level: z.string(),
  msg: z.string().optional(),
  workflowId: z.string().optional(),
  integrationId: z.string().optional(),
  handler: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  error: z.looseObject({ message: z.string(), stack: z.array(z.string()).optional() }).optional(),
});

/**
 * For the terminal of `npm start`: level and message instead of JSON, where it happened unless the message says so, and
 * what a handler adds. In production lines stay JSON, for programs.
 */
export function createReadableLines(say: (line: string) => void): DestinationStream {
  return { write: text => say(describeLine(text.trimEnd())) };
}

function describeLine(text: string): string {
  const parsed = lineSchema.safeParse(parseJson(text));
  if (!parsed.success) return text;
  const { level, msg = '', integrationId, handler = {}, error } = parsed.data;
  const workflowId = parsed.data.workflowId ?? '';
  const isTold = (id: string) => id === '' || msg.includes(id);
  // `webhooks/<integration>`: told where its thing is.
  const workflow = workflowId.split('/').slice(1).some(isTold) ? undefined : workflowId;
  const places = [integrationId, workflow].filter(id => id !== undefined && !isTold(id));
  const place = places.length === 0 ? '' : ` (${places.join(', ')})`;
  const fields = Object.entries(handler).map(([name, value]) => ` ${showText(name)}=${showText(String(value))}`);
  const reason = error === undefined ? '' : `: ${error.message}`;
  const stack = ['error', 'fatal'].includes(level) ? (error?.stack ?? []) : [];
  return [`${level.padEnd(5)}  ${msg}${place}${fields.join('')}${reason}`, ...stack.map(frame => `    ${frame}`)].join(
    '\n',
  );
}

/** As it is where that is plain to read, else quoted. */
function showText(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
