import { randomUUID } from 'node:crypto';
import type { ExternalId, ProviderId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { Provider } from '../../providers/configure-provider.js';
import { answerHandshake, type HandshakeAnswer } from '../../providers/webhooks/answer-handshake.js';
import { webhookCatalogue } from '../../providers/webhooks/catalogue.js';
import type { WebhookDefinition, WebhookRequest } from '../../providers/webhooks/definition.js';
import { pickHeaders } from '../../providers/webhooks/pick-headers.js';
import { readEvents } from '../../providers/webhooks/read-events.js';
import { verifyWebhook } from '../../providers/webhooks/verify-webhook.js';
import type { HttpContext } from '../dependencies.js';
import type { Arrival } from '../intake/create-intake.js';
import { countFitting } from '../intake/room.js';
import type { Target } from '../intake/targets.js';
import { keepHandshakeSecret } from './keep-handshake-secret.js';

export type WebhookAnswer =
  | { readonly kind: 'accepted'; readonly accepted: number }
  | { readonly kind: 'handshake'; readonly answer: HandshakeAnswer };

/** Knowledge older than this is read again before a signature is refused for it: secrets rotate. Milliseconds. */
const freshEnoughMs = 100;
/** No provider's account has a longer one. */
const longestAccountId = 1_000;
/** Of the deliveries that one webhook becomes: each is a copy of its own, sealed. */
const storedAtOnce = { count: 1_000, bytes: 4 * 1_048_576 };

/**
 * One webhook, for one integration or (`integrationId` null) for every integration on the account it names. Nothing is
 * stored, and no account looked up, before the signature is right.
 *
 * @throws RelinkError `webhooks_not_expected`, `webhook_signature_*`, `webhook_secret_missing`, `database_unavailable`.
 */
export async function receiveWebhook(
  context: HttpContext,
  providerName: string,
  integrationId: string | null,
  request: WebhookRequest,
): Promise<WebhookAnswer> {
  const leave = context.intake.enter(request.body.length);
  try {
    return await receive(context, providerName, integrationId, request);
  } finally {
    leave();
  }
}

async function receive(
  context: HttpContext,
  providerName: string,
  integrationId: string | null,
  request: WebhookRequest,
): Promise<WebhookAnswer> {
  const provider = findProvider(context, providerName);
  const definition = webhookCatalogue.get(provider.id);
  if (definition === undefined) throw new RelinkError('webhooks_not_expected');
  const count = (outcome: string) => context.metrics.webhooks.inc({ provider: provider.id, outcome });
  const target = integrationId === null ? null : await findTarget(context, provider.id, integrationId);
  const handshake = answerHandshake(definition, request);
  if (handshake !== null) {
    if (handshake.signed) await verify(context, provider, definition, target, request);
    else if (handshake.secret !== null) {
      const isKnown = await keepHandshakeSecret(context, provider, target, handshake.secret);
      if (!isKnown) count('handshake_ignored');
    }
    count('handshake');
    return { kind: 'handshake', answer: handshake };
  }
  // A GET brings nothing: it is a handshake or a mistake.
  if (request.method !== 'POST') throw new RelinkError('webhooks_not_expected');
  await verify(context, provider, definition, target, request);
  return { kind: 'accepted', accepted: await accept(context, provider, definition, target, request, count) };
}

function findProvider({ providers }: HttpContext, name: string): Provider {
  try {
    return providers.get(name);
  } catch (error) {
    // Which providers this product knows or has configured is not a stranger's to find out.
    if (error instanceof RelinkError) throw new RelinkError('webhooks_not_expected');
    throw error;
  }
}

async function findTarget(
  { intake }: HttpContext,
  provider: ProviderId,
  integrationId: string,
  maxAgeMs?: number,
): Promise<Target> {
  const target = await intake.targets.find(integrationId, maxAgeMs);
  if (target?.providers.has(provider) !== true) throw new RelinkError('webhooks_not_expected');
  return target;
}

async function verify(
  context: HttpContext,
  provider: Provider,
  definition: WebhookDefinition,
  target: Target | null,
  request: WebhookRequest,
): Promise<void> {
  const secretsOf = (known: Target | null) =>
    known === null || known.secrets.length === 0 ? provider.webhookSecrets : known.secrets;
  const refusal = verifyWebhook(definition, request, secretsOf(target), context.now());
  if (refusal === null) return;
  const mayHaveRotated = refusal === 'webhook_signature_wrong' || refusal === 'webhook_secret_missing';
  if (target !== null && mayHaveRotated && Date.now() - target.readAt > freshEnoughMs) {
    const fresh = await findTarget(context, provider.id, target.id, freshEnoughMs);
    if (verifyWebhook(definition, request, secretsOf(fresh), context.now()) === null) return;
  }
  throw new RelinkError(refusal, provider.id);
}

async function accept(
  { intake }: HttpContext,
  provider: Provider,
  definition: WebhookDefinition,
  target: Target | null,
  request: WebhookRequest,
  count: (outcome: string) => void,
): Promise<number> {
  const headers = pickHeaders(definition, request);
  const events = readEvents(definition, request);
  // Everybody is known before anything is stored: a failed look-up must not leave a store that nobody waits for.
  const targets =
    target === null
      ? await Promise.all(events.map(({ accountId }) => findTargets(intake, provider.id, accountId)))
      : events.map(() => [target]);
  const arrivals: Arrival[] = [];
  for (const [index, { externalId, body }] of events.entries()) {
    const receivers = targets[index] ?? [];
    if (receivers.length === 0) count('unknown_account');
    for (const { id, gate } of receivers) {
      const key = externalId ?? `generated:${randomUUID()}`;
      arrivals.push({ integrationId: id, gate, provider: provider.id, externalId: key, headers, body });
    }
  }
  const store = async (arrival: Arrival) => {
    const outcome = await intake.accept(arrival);
    count(outcome === 'stored' ? 'accepted' : outcome);
  };
  const total = arrivals.length;
  const [only] = arrivals;
  // Nearly every webhook is one delivery: it is spared the gathering of many.
  if (only !== undefined && total === 1) {
    await store(only);
    return total;
  }
  while (arrivals.length > 0) {
    const some = arrivals.splice(
      0,
      countFitting(arrivals, storedAtOnce, ({ body }) => body.length),
    );
    // All are waited for, so that an answer never overtakes a commit; one failure fails the webhook, which comes again.
    const ends = await Promise.allSettled(some.map(store));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
  return total;
}

async function findTargets(
  intake: HttpContext['intake'],
  provider: ProviderId,
  accountId: string | null,
): Promise<readonly Target[]> {
  if (accountId === null || accountId.length > longestAccountId) return [];
  const ids = await intake.targets.findByAccount(provider, accountId as ExternalId);
  const targets = await Promise.all(ids.map(id => intake.targets.find(id)));
  return targets.filter(target => target !== null);
}
