import type { DestinationStream } from 'pino';
import { z } from 'zod';

const lineSchema = z.looseObject({
  level: z.string(),
  msg: z.string().optional(),
  workflowId: z.string().optional(),
  error: z.looseObject({ message: z.string(), stack: z.array(z.string()).optional() }).optional(),
});

/** For the terminal of `npm start`: level and message instead of JSON. In production lines stay JSON, for programs. */
export function createReadableLines(say: (line: string) => void): DestinationStream {
  return { write: text => say(describeLine(text.trimEnd())) };
}

function describeLine(text: string): string {
  const parsed = lineSchema.safeParse(parseJson(text));
  if (!parsed.success) return text;
  const { level, msg = '', workflowId, error } = parsed.data;
  const place = workflowId === undefined ? '' : ` (${workflowId})`;
  const reason = error === undefined ? '' : `: ${error.message}`;
  const stack = ['error', 'fatal'].includes(level) ? (error?.stack ?? []) : [];
  return [`${level.padEnd(5)}  ${msg}${place}${reason}`, ...stack.map(frame => `    ${frame}`)].join('\n');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
