import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RelinkError } from '../../../../errors.js';
import { webhookCatalogue } from '../../../../providers/webhooks/catalogue.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { receiveWebhook } from '../../../operations/receive-webhook.js';
import { publicAddress } from '../../../public-address.js';
import { Refusals } from '../../../refusals.js';
import { errorAnswers } from '../../../schemas/error.js';
import { toRelinkError } from '../../../to-relink-error.js';

const descriptions = {
  POST: [
    'The raw bytes are kept, of a batch each event by itself as JSON; parsing them is the handler’s. The answer comes',
    'after the commit: a 2xx means that the webhook will be worked through, whatever happens. No API key: the signature is',
    'the proof.',
  ].join(' '),
  GET: [
    'Some providers send a GET before they send webhooks: their challenge is given back, or 200 where that is all they',
    'want. Nothing is stored. Any other GET is answered 404.',
  ].join(' '),
};

const answers = {
  200: z
    .object({ accepted: z.number().int().describe('Deliveries that came of it, those known already included.') })
    .or(z.string())
    .describe('Taken in, or the answer of a handshake.'),
  ...errorAnswers,
};

/** The two addresses providers post to, and the GET with which some of them try an address out. */
export function receiveWebhooks(app: App, context: HttpContext): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: context.config.webhookBodyLimit },
    (_request, body, done) => done(null, body),
  );
  acceptAnyContentType(app);
  countRefusals(app, context);
  const params = { provider: z.string().max(64).describe('The provider, by its name in the catalogue.') };
  for (const method of ['POST', 'GET'] as const) {
    const kind = method === 'POST' ? 'Take in' : 'Answer the try-out of';
    app.route({
      method,
      url: '/api/webhooks/:provider/:integrationId',
      config: { quiet: true, isBodiless },
      schema: {
        operationId: method === 'POST' ? 'receiveWebhook' : 'tryWebhook',
        tags: ['Receiving'],
        summary: `${kind} a webhook of one integration`,
        description: descriptions[method],
        params: z.strictObject({ ...params, integrationId: z.string().max(64).describe('Id of the integration.') }),
        response: answers,
      },
      handler: (request, reply) => {
        const { provider, integrationId } = request.params;
        return handle(context, request, provider, integrationId, reply);
      },
    });
    app.route({
      method,
      url: '/api/webhooks/:provider',
      config: { quiet: true, isBodiless },
      schema: {
        operationId: method === 'POST' ? 'receiveAppWebhook' : 'tryAppWebhook',
        tags: ['Receiving'],
        summary: `${kind} a webhook of the provider's app, for every integration on the account it names`,
        description: descriptions[method],
        params: z.strictObject(params),
        response: answers,
      },
      handler: (request, reply) => handle(context, request, request.params.provider, null, reply),
    });
  }
}

/** Fastify refuses what is no media type before any parser sees it; a webhook is bytes, whatever it calls itself. */
function acceptAnyContentType(app: App): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const type = request.raw.headers['content-type'];
    if (type !== undefined && !plainMediaType.test(type)) {
      request.headers = { 'content-type': 'application/octet-stream' };
    }
    done();
  });
}

const plainMediaType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+( *; *charset=[\w-]+)?$/;

/** The label of what no configured provider sent. */
const unknown = 'unknown';

/** Xero tries the address out by a wrong signature too, and wants the 401 with an empty body. */
function isBodiless(request: FastifyRequest, error: RelinkError): boolean {
  const handshake = webhookCatalogue.get(nameProvider(request) ?? '')?.handshake;
  return error.status === 401 && handshake?.kind === 'intent-to-receive';
}

/** Whose webhook it was. A signature is looked at for integrations alone that there are; any other id is a stranger's text. */
function nameIntegration(request: FastifyRequest, code: string): Readonly<Record<string, string>> {
  const integrationId = code.startsWith('webhook_signature_') ? readParam(request, 'integrationId') : undefined;
  return integrationId === undefined ? {} : { integrationId };
}

const nameProvider = (request: FastifyRequest) => readParam(request, 'provider');

/** As the caller wrote it. */
function readParam({ params }: FastifyRequest, name: string): string | undefined {
  const value: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function countRefusals(app: App, { metrics, providers, log }: HttpContext): void {
  const refusals = new Refusals(log);
  const configured = new Set<string>(providers.list().map(provider => provider.id));
  app.addHook('onError', (request, _reply, error, done) => {
    const { code } = toRelinkError(error);
    const named = nameProvider(request);
    // Any other name is a stranger's text: neither a label nor a line of its own.
    const provider = named !== undefined && configured.has(named) ? named : unknown;
    metrics.webhooks.inc({ provider, outcome: code });
    const what = provider === unknown ? 'A webhook of no configured provider' : `A webhook of ${provider}`;
    refusals.note(what, code, nameIntegration(request, code));
    done();
  });
}

const empty = Buffer.alloc(0);

async function handle(
  context: HttpContext,
  { method, url, raw, query, body }: FastifyRequest,
  provider: string,
  integrationId: string | null,
  reply: Pick<FastifyReply, 'headers' | 'type'>,
): Promise<string> {
  const result = await receiveWebhook(context, provider, integrationId, {
    method,
    url: publicAddress(context.config, `/${url.slice(1)}`),
    headers: raw.headers,
    query: readQuery(query),
    body: Buffer.isBuffer(body) ? body : empty,
  });
  if (result.kind === 'accepted') {
    // As text: one number is not worth a serialiser thousands of times a second.
    reply.type('application/json; charset=utf-8');
    return `{"accepted":${result.accepted}}`;
  }
  const { answer } = result;
  reply.headers(answer.headers);
  reply.type(answer.contentType);
  return answer.body;
}

/** A parameter that came several times counts as missing. */
function readQuery(query: unknown): Record<string, string | undefined> {
  const entries = typeof query === 'object' && query !== null ? Object.entries(query) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
