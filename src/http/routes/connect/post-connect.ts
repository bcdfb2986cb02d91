import type { FastifyRequest } from 'fastify';
import { RelinkError } from '../../../errors.js';
import { createAuthorizationUrl } from '../../../providers/create-authorization-url.js';
import { sha256Hex } from '../../../vault/hash.js';
import { giveAttemptCookie } from '../../attempt-cookie.js';
import type { App, HttpContext } from '../../dependencies.js';
import { findOpenAttempt } from '../../operations/find-open-attempt.js';
import { openRequest } from '../../operations/sealed-request.js';
import { publicAddress } from '../../public-address.js';
import { errorPages } from '../../schemas/error.js';
import { redirectAnswer } from '../../schemas/html-answer.js';
import { attemptLink } from '../../schemas/request.js';

/** The start page's button: binds the attempt to this browser and sends it to the provider. */
export function postConnect(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/connect/:attempt',
    config: { answers: 'page' },
    schema: {
      operationId: 'pressConnect',
      tags: ['Browser'],
      summary: "The start page's button",
      description: 'Binds the attempt to this browser by a cookie and sends it to the provider.',
      params: attemptLink,
      response: {
        303: redirectAnswer(
          'On to the provider, or to the outcome where the attempt has been used.',
          "The provider's authorization page, or the page of the attempt.",
        ),
        ...errorPages,
      },
    },
    handler: async (request, reply) => {
      const { config, providers, store, vault, now } = context;
      if (!isOwnPage(config.publicUrl, request)) throw new RelinkError('attempt_not_found');
      const { session } = await findOpenAttempt(context, request, request.params.attempt);
      // Only the browser that pressed it before gets here: its GET shows how the attempt stands.
      if (session.state !== 'pending') return reply.redirect(publicAddress(config, `/connect/${session.id}`), 303);
      const provider = providers.get(session.provider);
      const { state, codeVerifier } = openRequest(vault, session.id, session.sealedRequest);

      const cookie = giveAttemptCookie(context, request, reply, session.id);
      const bound = await store.bindBrowser(session.id, sha256Hex(cookie), now());
      if (bound === null) throw new RelinkError('attempt_not_found');
      const { redirectUri } = session;
      return reply.redirect(await createAuthorizationUrl(provider, { redirectUri, state, codeVerifier }), 303);
    },
  });
}

/**
 * False when a page of somebody else presses the button: it would skip the page that says for whom the connection is
 * made. Requests without both headers come from no browser.
 */
function isOwnPage(publicUrl: URL, request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin !== undefined && origin !== 'null') return origin === publicUrl.origin;
  return site === 'same-origin' || (origin === undefined && site === undefined);
}
