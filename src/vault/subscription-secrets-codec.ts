import { z } from 'zod';
import { Secret } from './secret.js';

const list = z.array(z.string());

/** What is sealed into a subscription's row: its secrets as a JSON list. */
export function encodeSecrets(secrets: readonly Secret[]): Secret {
  return new Secret(JSON.stringify(secrets.map(secret => secret.reveal())));
}

/** Throws when the text was not made by encodeSecrets. */
export function decodeSecrets(text: Secret): readonly Secret[] {
  return list.parse(JSON.parse(text.reveal())).map(secret => new Secret(secret));
}
