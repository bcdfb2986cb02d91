import { createHmac, randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { z } from 'zod';
import { isId, type CredentialId, type IntegrationId, type ProviderId } from '../../../src/domain/ids.js';
import { decodeContent } from '../../../src/integrations/delivery-content.js';
import { defineIntegration } from '../../../src/integrations/definition.js';
import { deliveryContentBinding } from '../../../src/vault/bindings.js';
import { Secret } from '../../../src/vault/secret.js';
import { replyJson } from '../../support/wire-provider.js';
import { call, connect, publicUrl, startApi, type Api, type ApiOptions, type ApiProcess } from './start-api.js';

export const secret = 'webhook-secret-of-the-tests';
export const earlierSecret = 'earlier-webhook-secret-of-the-tests';

const config = z.object({});
const onWebhook = () => undefined;
const types = [
  defineIntegration({ type: 'inbox', name: 'Inbox', providers: 'any', config, onWebhook }),
  defineIntegration({
    type: 'strict',
    name: 'Strict',
    providers: 'any',
    config,
    onWebhook,
    webhooks: { whileInError: 'discard' },
  }),
  defineIntegration({
    type: 'subscribing',
    name: 'Subscribing',
    providers: 'any',
    config,
    onWebhook,
    ensureSubscription: () => Promise.resolve(null),
  }),
];

/** Connected like Attio, with the webhooks of another provider; `unsecured` ones have no secret configured. */
const secured = ['slack', 'hubspot', 'shopify', 'monday', 'microsoft', 'xero', 'mailchimp'];
const unsecured = ['asana', 'github'];

export function startWebhooksApi(options: ApiOptions = {}): Promise<Api> {
  return startApi({
    types,
    providers: configured =>
      [...secured, ...unsecured].map(id => ({
        ...configured.get('attio'),
        id: id as ProviderId,
        webhookSecrets: secured.includes(id) ? [new Secret(secret)] : [],
      })),
    ...options,
    settings: { RELINK_PROVIDER_ATTIO_WEBHOOK_SECRETS: `${secret},${earlierSecret}`, ...options.settings },
  });
}

export interface Scene {
  readonly id: IntegrationId;
  readonly account: string;
  readonly credentialId: CredentialId;
  readonly entityId: string;
  /** `/api/webhooks/<provider>/<integration>`. */
  readonly url: string;
  readonly path: string;
}

/** A new account, connected, with one integration. */
export async function newScene(api: Api, type = 'inbox', provider = 'attio', user = 'ann'): Promise<Scene> {
  const account = `ws-${randomUUID()}`;
  api.provider.identity = replyJson(200, { active: true, workspace_id: account, workspace_name: 'Acme' });
  const { credential_id, entity_id } = await connect(api, user, { entityType: provider });
  // Its restore wakes what is on the account by then.
  await api.workflows.settled();
  const created = await call(api, user, 'POST', '/api/integrations', { type, entities: [entity_id] });
  const { id, status } = created.json<{ id: string; status: string }>();
  if (!isId('integration', id) || !isId('credential', credential_id)) throw new Error(created.body);
  if (status === 'IN_CREATION') throw new Error(`its creation was not finished: ${created.body}`);
  return {
    id,
    account,
    credentialId: credential_id,
    entityId: entity_id,
    url: `/api/webhooks/${provider}/${id}`,
    path: `/api/integrations/${id}`,
  };
}

/** The credential dies and the integration hears of it. */
export async function die(api: Api, { credentialId, id }: Scene): Promise<void> {
  const now = new Date();
  const epoch = (await api.store.getCredential(credentialId))?.epoch ?? 0;
  await api.store.markCredentialInvalid(
    credentialId,
    epoch,
    { code: 'credential_refused', httpStatus: 401, since: now },
    now,
  );
  const dead = await api.store.getCredential(credentialId);
  if (dead === null) throw new Error('no credential');
  const { provider } = dead;
  await api.workflows.runInvalidate(
    { credentialId, provider, epoch: dead.epoch, code: 'credential_refused', httpStatus: 401 },
    id,
    5_000,
  );
}

/** The user connects the same account again. */
export async function reconnect(api: Api, { account, entityId }: Scene, user = 'ann'): Promise<void> {
  api.provider.identity = replyJson(200, { active: true, workspace_id: account, workspace_name: 'Acme' });
  await connect(api, user, { entityId });
  await api.workflows.settled();
}

export interface Sent {
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly deliveryId?: string;
  readonly key?: string;
}

/** A webhook signed as Attio signs. */
export function send(
  { app }: Pick<ApiProcess, 'app'>,
  { url }: Pick<Scene, 'url'>,
  { body = '{"n":1}', headers = {}, deliveryId = randomUUID(), key = secret }: Sent = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: {
      'attio-signature': createHmac('sha256', key).update(body).digest('hex'),
      'idempotency-key': deliveryId,
      ...headers,
    },
  });
}

/** A batch to the app-wide address, signed as HubSpot signs. */
export function sendHubspot(
  { app }: Pick<ApiProcess, 'app'>,
  events: readonly object[],
  key = secret,
): Promise<LightMyRequestResponse> {
  const url = '/api/webhooks/hubspot';
  const payload = JSON.stringify(events);
  const time = String(Date.now());
  const signature = createHmac('sha256', key).update(`POST${publicUrl}${url}${payload}${time}`).digest('base64');
  return app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': time },
  });
}

/** The integration's rows, oldest first, their contents opened. */
export async function deliveriesOf({ query, vault }: Api, { id }: Pick<Scene, 'id'>) {
  const rows = await query(
    'SELECT state, reason, external_id, sealed_content FROM deliveries WHERE integration_id = $1 ORDER BY sequence',
    [id],
  );
  return rows.map(row => {
    const externalId = String(row['external_id']);
    const content = vault.openBytes(String(row['sealed_content']), deliveryContentBinding(id, externalId));
    return { state: row['state'], reason: row['reason'], externalId, ...decodeContent(content) };
  });
}

export async function readMetrics({ app }: Pick<ApiProcess, 'app'>): Promise<string> {
  const headers = { authorization: 'Bearer another-api-key-used-in-rotation' };
  return (await app.inject({ url: '/metrics', headers })).body;
}

/** What `/metrics` says of a provider's webhooks, by outcome. */
export async function countsOf({ app }: Pick<ApiProcess, 'app'>, provider: string): Promise<Record<string, number>> {
  const body = await readMetrics({ app });
  const lines = body.matchAll(/^relink_webhooks_total\{provider="(\w+)",outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries(
    [...lines].filter(line => line[1] === provider).map(line => [line[2] ?? '', Number(line[3])]),
  );
}

export async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not come true within ${withinMs} ms: ${condition.toString()}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
