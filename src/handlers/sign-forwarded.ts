import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { ConfigError } from '../errors.js';
import { readSigningKey } from '../vault/read-signing-key.js';
import type { Secret } from '../vault/secret.js';

/** The value of `webhook-signature` for one request. */
export type ForwardSigner = (id: string, at: Date, body: Buffer) => string;

/**
 * Signs by Standard Webhooks with every secret, newest first, through its own library. That one signs texts only; a body
 * that is none is signed here, over its raw bytes, as the specification has it.
 *
 * @throws ConfigError when a secret is malformed.
 */
export function createForwardSigner(secrets: readonly Secret[]): ForwardSigner {
  const signers = secrets.map(secret => {
    const key = readSigningKey(secret);
    if (key === null) throw new ConfigError(['RELINK_FORWARD_SECRETS is malformed']);
    const webhook = new Webhook(secret.reveal());
    return (id: string, at: Date, body: Buffer) => {
      if (isUtf8(body)) return webhook.sign(id, at, body.toString('utf8'));
      const hmac = createHmac('sha256', key)
        .update(`${id}.${Math.floor(at.getTime() / 1000)}.`)
        .update(body);
      return `v1,${hmac.digest('base64')}`;
    };
  });
  return (id, at, body) => signers.map(sign => sign(id, at, body)).join(' ');
}
