import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { HttpContext } from '../dependencies.js';
import { pageStyle } from './page-style.js';

const styleHash = createHash('sha256').update(pageStyle).digest('base64');

/**
 * Sends a page: no scripts, no frames (a framed button is a stolen click), nothing from elsewhere. `form-action` cannot
 * be narrowed to this service: browsers apply it to every redirect that follows the form, and those lead to the
 * provider, wherever that sends its users to sign in, and back to the product.
 */
export function sendPage(context: HttpContext, reply: FastifyReply, html: string): void {
  const insecure = context.config.publicUrl.protocol === 'http:';
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action https:${insecure ? ' http:' : ''}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  reply.header('content-security-policy', policy.join('; ')).type('text/html; charset=utf-8').send(html);
}
