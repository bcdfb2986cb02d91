import { createHmac } from 'node:crypto';
import { webhookCatalogue } from '../../../../src/providers/webhooks/catalogue.js';
import type { WebhookDefinition, WebhookRequest } from '../../../../src/providers/webhooks/definition.js';

export const url = 'https://relink.example/api/webhooks/any/int_1';

export function requestOf(overrides: Partial<WebhookRequest> = {}): WebhookRequest {
  return { method: 'POST', url, headers: {}, query: {}, body: Buffer.from('{}'), ...overrides };
}

export function definitionOf(provider: string): WebhookDefinition {
  const definition = webhookCatalogue.get(provider);
  if (definition === undefined) throw new Error(`no webhooks of ${provider}`);
  return definition;
}

export const hmac = (key: string | Buffer, ...parts: (string | Buffer)[]) => {
  const digest = createHmac('sha256', key);
  for (const part of parts) digest.update(part);
  return digest;
};

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signJwt(secret: string, claims: object, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${hmac(secret, input).digest('base64url')}`;
}

/** Each provider's way to sign, written down a second time from its documentation and apart from the catalogue. */
type Sign = (secret: string, body: Buffer, at: Date) => Partial<WebhookRequest>;

const seconds = (at: Date) => String(Math.floor(at.getTime() / 1000));
const hex =
  (header: string, prefix = ''): Sign =>
  (secret, body) => ({ headers: { [header]: prefix + hmac(secret, body).digest('hex') } });
const base64 =
  (header: string, prefix = ''): Sign =>
  (secret, body) => ({ headers: { [header]: prefix + hmac(secret, body).digest('base64') } });
const list =
  (header: string): Sign =>
  (secret, body, at) => ({
    headers: { [header]: `t=${seconds(at)},v1=${hmac(secret, `${seconds(at)}.`, body).digest('hex')}` },
  });

export const signers: Readonly<Record<string, Sign>> = {
  attio: hex('attio-signature'),
  sandbox: hex('x-sandbox-signature', 'sha256='),
  github: hex('x-hub-signature-256', 'sha256='),
  notion: hex('x-notion-signature', 'sha256='),
  jira: hex('x-hub-signature', 'sha256='),
  asana: hex('x-hook-signature'),
  dropbox: hex('x-dropbox-signature'),
  xero: base64('x-xero-signature'),
  quickbooks: base64('intuit-signature'),
  shopify: base64('x-shopify-hmac-sha256'),
  typeform: base64('typeform-signature', 'sha256='),
  intercom: (secret, body) => ({
    headers: { 'x-hub-signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}` },
  }),
  airtable: (secret, body) => ({
    headers: { 'x-airtable-content-mac': `hmac-sha256=${hmac(Buffer.from(secret, 'base64'), body).digest('hex')}` },
  }),
  stripe: list('stripe-signature'),
  calendly: list('calendly-webhook-signature'),
  slack: (secret, body, at) => ({
    headers: {
      'x-slack-request-timestamp': seconds(at),
      'x-slack-signature': `v0=${hmac(secret, `v0:${seconds(at)}:`, body).digest('hex')}`,
    },
  }),
  zendesk: (secret, body, at) => ({
    headers: {
      'x-zendesk-webhook-signature-timestamp': at.toISOString(),
      'x-zendesk-webhook-signature': hmac(secret, at.toISOString(), body).digest('base64'),
    },
  }),
  hubspot: (secret, body, at) => ({
    headers: {
      'x-hubspot-request-timestamp': String(at.getTime()),
      'x-hubspot-signature-v3': hmac(secret, `POST${url}`, body, String(at.getTime())).digest('base64'),
    },
  }),
  linear: (secret, _body, at) => {
    const body = Buffer.from(JSON.stringify({ organizationId: 'o', webhookTimestamp: at.getTime() }));
    return { body, headers: { 'linear-signature': hmac(secret, body).digest('hex') } };
  },
  monday: (secret, _body, at) => ({
    headers: { authorization: signJwt(secret, { exp: Math.floor(at.getTime() / 1000) + 30 }) },
  }),
  pipedrive: secret => ({
    headers: { authorization: `Basic ${Buffer.from(`hook:${secret}`).toString('base64')}` },
  }),
  google: secret => ({ headers: { 'x-goog-channel-token': secret }, body: Buffer.alloc(0) }),
  zoho: secret => ({ body: Buffer.from(JSON.stringify({ token: secret, module: 'Deals' })) }),
  microsoft: secret => ({
    body: Buffer.from(JSON.stringify({ value: [{ clientState: secret }, { clientState: secret }] })),
  }),
  mailchimp: secret => ({ query: { secret }, body: Buffer.from('type=subscribe&data%5Bid%5D=8a25') }),
};
