import { createHmac } from 'node:crypto';
import { request } from 'undici';

export interface WebhookToSend {
  /** Relink's own address. */
  readonly relinkUrl: string;
  /** Null: to the app-wide address; the body names the account. */
  readonly integrationId: string | null;
  readonly secret: string;
  /** The provider's delivery id; none unless given. */
  readonly deliveryId?: string;
  readonly body: string | Buffer;
}

/** The headers the sandbox signs a webhook with. */
export function signWebhook(body: string | Buffer, secret: string, deliveryId?: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-sandbox-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    ...(deliveryId !== undefined && { 'x-sandbox-delivery': deliveryId }),
  };
}

/** Posts one webhook as the sandbox does; resolves with the HTTP status it was answered with. */
export async function sendWebhook({
  relinkUrl,
  integrationId,
  secret,
  deliveryId,
  body,
}: WebhookToSend): Promise<number> {
  const path = integrationId === null ? '' : `/${integrationId}`;
  const answer = await request(`${relinkUrl}/api/webhooks/sandbox${path}`, {
    method: 'POST',
    headers: signWebhook(body, secret, deliveryId),
    body,
  });
  await answer.body.dump();
  return answer.statusCode;
}
