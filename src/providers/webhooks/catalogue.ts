import type { WebhookDefinition } from './definition.js';

/**
 * How each provider signs, numbers and splits its webhooks. Facts and how sure they are: the provider's own pages where
 * named, else what production systems send. Providers whose OAuth is not in the catalogue yet are data that waits for it.
 */
const hmacHex = (header: string, prefix?: string) =>
  ({ kind: 'hmac', header, algorithm: 'sha256', encoding: 'hex', ...(prefix && { prefix }) }) as const;
const hmacBase64 = (header: string, prefix?: string) =>
  ({ kind: 'hmac', header, algorithm: 'sha256', encoding: 'base64', ...(prefix && { prefix }) }) as const;
/** `t=…,v1=…` over `<t>.<body>`. */
const timedList = (header: string) =>
  ({
    ...hmacHex(header),
    listKey: 'v1',
    timestamp: { inSignature: 't' },
    signed: ['timestamp', { text: '.' }, 'body'],
  }) as const;

const definitions: Readonly<Record<string, WebhookDefinition>> = {
  // docs.attio.com/rest-api/guides/webhooks: per-webhook secret, Idempotency-Key for repeats.
  attio: {
    signature: hmacHex('attio-signature'),
    deliveryId: { header: 'idempotency-key' },
    accountId: 'id.workspace_id',
    batch: { events: 'events', id: null },
  },
  // pipedrive.readme.io/docs/guide-for-webhooks-v2: HTTP Basic of the subscriber's choosing; `meta.id` per event.
  pipedrive: {
    signature: { kind: 'token', place: { basic: true } },
    deliveryId: { bodyPath: 'meta.id' },
    accountId: 'meta.company_id',
  },
  // zoho.com/crm/developer/docs/api/v8/notifications/enable.html: the token of the channel comes back in the body.
  zoho: { signature: { kind: 'token', place: { bodyPath: 'token' } }, deliveryId: null, accountId: null },
  sandbox: {
    signature: hmacHex('x-sandbox-signature', 'sha256='),
    deliveryId: { header: 'x-sandbox-delivery' },
    accountId: 'account_id',
    batch: { events: 'events', id: 'id' },
  },

  // docs.slack.dev/authentication/verifying-requests-from-slack
  slack: {
    signature: {
      ...hmacHex('x-slack-signature', 'v0='),
      timestamp: { header: 'x-slack-request-timestamp' },
      signed: [{ text: 'v0:' }, 'timestamp', { text: ':' }, 'body'],
    },
    deliveryId: { bodyPath: 'event_id' },
    accountId: 'team_id',
    handshake: { kind: 'echo-body', when: 'challenge', type: 'url_verification', signed: true, as: 'json' },
    headers: ['x-slack-retry-num'],
  },
  // docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
  github: {
    signature: hmacHex('x-hub-signature-256', 'sha256='),
    deliveryId: { header: 'x-github-delivery' },
    accountId: 'installation.id',
    headers: ['x-github-event'],
  },
  // docs.stripe.com/webhooks/signature
  stripe: { signature: timedList('stripe-signature'), deliveryId: { bodyPath: 'id' }, accountId: 'account' },
  // developer.calendly.com/api-docs/webhook-signatures
  calendly: { signature: timedList('calendly-webhook-signature'), deliveryId: null, accountId: 'payload.organization' },
  // developers.hubspot.com/docs/api/webhooks/validating-requests, v3
  hubspot: {
    signature: {
      ...hmacBase64('x-hubspot-signature-v3'),
      timestamp: { header: 'x-hubspot-request-timestamp', unit: 'milliseconds' },
      signed: ['method', 'url', 'body', 'timestamp'],
    },
    deliveryId: null,
    accountId: 'portalId',
    // "This value is not guaranteed to be unique", it says of `eventId`: as a key it would drop events.
    batch: { events: '', id: null },
  },
  // developer.zendesk.com/documentation/webhooks/verifying
  zendesk: {
    signature: {
      ...hmacBase64('x-zendesk-webhook-signature'),
      timestamp: { header: 'x-zendesk-webhook-signature-timestamp' },
      signed: ['timestamp', 'body'],
    },
    deliveryId: { header: 'x-zendesk-webhook-invocation-id' },
    accountId: { header: 'x-zendesk-account-id' },
  },
  // shopify.dev/docs/apps/build/webhooks/subscribe/https
  shopify: {
    signature: hmacBase64('x-shopify-hmac-sha256'),
    deliveryId: { header: 'x-shopify-webhook-id' },
    accountId: { header: 'x-shopify-shop-domain' },
    headers: ['x-shopify-topic', 'x-shopify-shop-domain'],
  },
  // linear.app/developers/webhooks: the time is in the body, within a minute.
  linear: {
    signature: { ...hmacHex('linear-signature'), timestamp: { bodyPath: 'webhookTimestamp', unit: 'milliseconds' } },
    toleranceSeconds: 60,
    deliveryId: { header: 'linear-delivery' },
    accountId: 'organizationId',
    headers: ['linear-event'],
  },
  // developers.notion.com/reference/webhooks: the first, unsigned POST brings the token that signs the rest.
  notion: {
    signature: hmacHex('x-notion-signature', 'sha256='),
    deliveryId: { bodyPath: 'id' },
    accountId: 'workspace_id',
    handshake: { kind: 'secret-in-body', path: 'verification_token' },
  },
  // developer.xero.com/documentation/guides/webhooks/overview
  xero: {
    signature: hmacBase64('x-xero-signature'),
    deliveryId: null,
    accountId: 'tenantId',
    batch: { events: 'events', id: null },
    handshake: { kind: 'intent-to-receive', emptyList: 'events' },
  },
  // developer.intuit.com/app/developer/qbo/docs/develop/webhooks: CloudEvents in an array, mandatory since 2026-07-31.
  quickbooks: {
    signature: hmacBase64('intuit-signature'),
    deliveryId: null,
    accountId: 'intuitaccountid',
    batch: { events: '', id: 'id' },
  },
  // developers.asana.com/docs/webhooks-guide
  asana: {
    signature: hmacHex('x-hook-signature'),
    deliveryId: null,
    accountId: null,
    handshake: { kind: 'echo-secret-header', header: 'x-hook-secret' },
  },
  // developer.atlassian.com/cloud/jira/platform/webhooks
  jira: {
    signature: hmacHex('x-hub-signature', 'sha256='),
    deliveryId: { header: 'x-atlassian-webhook-identifier' },
    accountId: null,
  },
  // developers.intercom.com/docs/webhooks: SHA-1 still.
  intercom: {
    signature: { kind: 'hmac', header: 'x-hub-signature', algorithm: 'sha1', encoding: 'hex', prefix: 'sha1=' },
    deliveryId: { bodyPath: 'id' },
    accountId: 'app_id',
  },
  // dropbox.com/developers/reference/webhooks
  dropbox: {
    signature: hmacHex('x-dropbox-signature'),
    deliveryId: null,
    accountId: null,
    handshake: { kind: 'echo-query', parameter: 'challenge' },
  },
  // airtable.com/developers/web/api/webhooks-overview: the MAC secret comes base64-encoded at creation.
  airtable: {
    signature: { ...hmacHex('x-airtable-content-mac', 'hmac-sha256='), secretEncoding: 'base64' },
    deliveryId: null,
    accountId: 'base.id',
  },
  // typeform.com/developers/webhooks/secure-your-webhooks
  typeform: {
    signature: hmacBase64('typeform-signature', 'sha256='),
    deliveryId: { bodyPath: 'event_id' },
    accountId: null,
  },
  // developer.monday.com/apps/docs/integration-authorization
  monday: {
    signature: { kind: 'jwt', header: 'authorization' },
    deliveryId: null,
    accountId: 'data.account_id',
    handshake: { kind: 'echo-body', when: 'challenge', signed: false, as: 'json' },
  },
  // learn.microsoft.com/graph/change-notifications-delivery-webhooks: clientState in each notification.
  microsoft: {
    signature: { kind: 'token', place: { everyOf: 'value', bodyPath: 'clientState' } },
    deliveryId: null,
    accountId: 'tenantId',
    batch: { events: 'value', id: 'id' },
    handshake: { kind: 'echo-query', parameter: 'validationToken' },
  },
  // developers.google.com/calendar/api/guides/push: the headers carry the event, the body is empty.
  google: {
    signature: { kind: 'token', place: { header: 'x-goog-channel-token' } },
    // Counts from 1 in every channel, and channels expire.
    deliveryId: { header: 'x-goog-message-number', within: 'x-goog-channel-id' },
    accountId: null,
    headers: ['x-goog-channel-id', 'x-goog-resource-id', 'x-goog-resource-state', 'x-goog-message-number'],
  },
  // mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks: a secret in the address.
  mailchimp: {
    signature: { kind: 'token', place: { query: 'secret' } },
    deliveryId: null,
    accountId: null,
    handshake: { kind: 'probe' },
  },
};

export const webhookCatalogue: ReadonlyMap<string, WebhookDefinition> = new Map(Object.entries(definitions));
