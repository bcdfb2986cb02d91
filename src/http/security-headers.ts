import type { FastifyReply } from 'fastify';

/** Headers of every answer: nothing is cached, nothing is guessed, no address leaks onward. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // For the JSON answers; pages bring their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

export function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers(securityHeaders);
}
