import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Secret } from '../vault/secret.js';

/** The value of `webhook-signature` for one request. */
export type ForwardSigner = (id: string, at: Date, body: Buffer) => string;

const prefix = 'whsec_';

/** Whether a text is a secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. */
export function isForwardSecret(secret: Secret): boolean {
  const text = secret.reveal();
  if (!text.startsWith(prefix) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text.slice(prefix.length))) return false;
  const { length } = keyOf(secret);
  return length >= 24 && length <= 64;
}

/**
 * Signs by Standard Webhooks with every secret, newest first, through its own library. That one signs texts only; a body
 * that is none is signed here, over its raw bytes, as the specification has it.
 */
export function createForwardSigner(secrets: readonly Secret[]): ForwardSigner {
  const signers = secrets.map(secret => {
    const webhook = new Webhook(secret.reveal());
    return (id: string, at: Date, body: Buffer) => {
      if (isUtf8(body)) return webhook.sign(id, at, body.toString('utf8'));
      const hmac = createHmac('sha256', keyOf(secret))
        .update(`${id}.${Math.floor(at.getTime() / 1000)}.`)
        .update(body);
      return `v1,${hmac.digest('base64')}`;
    };
  });
  return (id, at, body) => signers.map(sign => sign(id, at, body)).join(' ');
}

function keyOf(secret: Secret): Buffer {
  return Buffer.from(secret.reveal().slice(prefix.length), 'base64');
}
