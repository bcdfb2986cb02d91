import { z } from 'zod';
import { Secret } from '../../vault/secret.js';

const list = z.array(z.string());

/** The secrets of a subscription, as its row holds them once opened. */
export function parseSecrets(text: Secret): readonly Secret[] {
  return list.parse(JSON.parse(text.reveal())).map(secret => new Secret(secret));
}
