import { z } from 'zod';

/** A page, for callers that prefer `text/html`; others get JSON where a schema for it is given. */
export function htmlAnswer(description: string, json?: z.ZodType) {
  return {
    description,
    content: {
      ...(json && { 'application/json': { schema: json } }),
      'text/html': { schema: z.string().describe('A page for people.') },
    },
  };
}

/** A redirect to where `location` says. */
export function redirectAnswer(description: string, location: string) {
  return z.undefined().meta({ description, headers: { location: { type: 'string', description: location } } });
}
