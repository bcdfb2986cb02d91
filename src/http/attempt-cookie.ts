import type { FastifyReply, FastifyRequest } from 'fastify';
import { sessionClaimWindowMs } from '../domain/session.js';
import type { SessionId } from '../domain/ids.js';
import type { Session } from '../store/port/store.js';
import { equalsConstantTime, randomToken, sha256Hex } from '../vault/hash.js';
import type { HttpContext } from './dependencies.js';

/**
 * The cookie that ties one attempt to one browser. The `__Host-` prefix keeps other hosts from planting one (RFC
 * 6265bis section 4.1.3.2) but needs https; plain http is for development on loopback. SameSite=Lax and not Strict:
 * it has to come along when the provider sends the browser back.
 */
function cookieName({ publicUrl }: HttpContext['config'], id: SessionId): string {
  return publicUrl.protocol === 'https:' ? `__Host-relink-${id}` : `relink-${id}`;
}

/** The cookie's value, if the browser has one of ours. */
function readAttemptCookie(context: HttpContext, request: FastifyRequest, id: SessionId): string | null {
  const value = request.cookies[cookieName(context.config, id)];
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : null;
}

/** Hands out a cookie, or the same one once more, and returns its value. */
export function giveAttemptCookie(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  id: SessionId,
): string {
  const value = readAttemptCookie(context, request, id) ?? randomToken();
  reply.setCookie(cookieName(context.config, id), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: context.config.publicUrl.protocol === 'https:',
    maxAge: sessionClaimWindowMs / 1000,
  });
  return value;
}

/** True when this is the browser that pressed the start page's button. */
export function isBoundBrowser(context: HttpContext, request: FastifyRequest, session: Session): boolean {
  const value = readAttemptCookie(context, request, session.id);
  return value !== null && session.browserHash !== null && equalsConstantTime(sha256Hex(value), session.browserHash);
}
