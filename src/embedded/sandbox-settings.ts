import { createHmac } from 'node:crypto';

/** What the sandbox signs its webhooks with. */
export const sandboxWebhookSecret = (clientSecret: string) => deriveSecret(clientSecret, 'webhooks');

/** A secret of its own for each purpose, without one more to keep. */
export function deriveSecret(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(purpose).digest('base64');
}

/** What the sandbox sends browsers back to: its own callback, and Attio's where it plays Attio. */
export const callbacksOf = (relinkUrl: string) => [
  `${relinkUrl}/api/oauth/callback/sandbox`,
  `${relinkUrl}/api/oauth/callback/attio`,
];

/** Settings by which the sandbox plays Attio: whatever account is chosen has to be one without refresh tokens. */
export function attioSettings(url: string, clientId: string, clientSecret: string): Record<string, string> {
  return {
    RELINK_PROVIDER_ATTIO_CLIENT_ID: clientId,
    RELINK_PROVIDER_ATTIO_CLIENT_SECRET: clientSecret,
    RELINK_PROVIDER_ATTIO_AUTHORIZATION_URL: `${url}/oauth/authorize`,
    RELINK_PROVIDER_ATTIO_TOKEN_URL: `${url}/oauth/token`,
    RELINK_PROVIDER_ATTIO_IDENTITY_URL: `${url}/attio/v2/self`,
    RELINK_PROVIDER_ATTIO_ALLOW_INSECURE: 'true',
    RELINK_PROVIDER_ATTIO_WEBHOOK_SECRETS: sandboxWebhookSecret(clientSecret),
  };
}

export function sandboxSettings(url: string, clientId: string, clientSecret: string): Record<string, string> {
  return {
    RELINK_PROVIDER_SANDBOX_CLIENT_ID: clientId,
    RELINK_PROVIDER_SANDBOX_CLIENT_SECRET: clientSecret,
    RELINK_PROVIDER_SANDBOX_AUTHORIZATION_URL: `${url}/oauth/authorize`,
    RELINK_PROVIDER_SANDBOX_TOKEN_URL: `${url}/oauth/token`,
    RELINK_PROVIDER_SANDBOX_IDENTITY_URL: `${url}/identity`,
    RELINK_PROVIDER_SANDBOX_REVOCATION_URL: `${url}/oauth/revoke`,
    RELINK_PROVIDER_SANDBOX_ISSUER: url,
    RELINK_PROVIDER_SANDBOX_ALLOW_INSECURE: 'true',
    RELINK_PROVIDER_SANDBOX_WEBHOOK_SECRETS: sandboxWebhookSecret(clientSecret),
  };
}
