import { randomBytes, randomInt } from 'node:crypto';
import { answerHandshake } from '../../../../src/providers/webhooks/answer-handshake.js';
import { webhookCatalogue } from '../../../../src/providers/webhooks/catalogue.js';
import type { WebhookRequest } from '../../../../src/providers/webhooks/definition.js';
import { pickHeaders } from '../../../../src/providers/webhooks/pick-headers.js';
import { readEvents } from '../../../../src/providers/webhooks/read-events.js';
import { verifyWebhook } from '../../../../src/providers/webhooks/verify-webhook.js';
import { Secret } from '../../../../src/vault/secret.js';
import { requestOf, signers } from './sign.js';

const rounds = 150;
const secrets = [new Secret('one'), new Secret(randomBytes(32).toString('base64'))];
const pick = <Item>(...items: readonly Item[]): Item => {
  const item = items[randomInt(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};

function spoil(text: string): string | string[] {
  const at = randomInt(text.length + 1);
  return pick<string | string[]>(
    text.slice(0, at),
    text.slice(0, at) + randomBytes(3).toString('latin1') + text.slice(at),
    [text, text],
    randomBytes(randomInt(1, 100)).toString('latin1'),
    '='.repeat(randomInt(1, 50)),
    text.toUpperCase(),
  );
}

function spoiledRequest(provider: string): WebhookRequest {
  const text = pick('{"events":[{"id":1}],"id":"a","value":[{}],"meta":{}}', '[[[[', '[{},null,7]', '"text"', '{"a":');
  const body = pick(Buffer.from(text), randomBytes(randomInt(200)), Buffer.from(text).subarray(randomInt(5)));
  const signed = requestOf({ body, ...signers[provider]?.('another secret', body, new Date()) });
  const headers = Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name, spoil(String(value))]),
  );
  return { ...signed, headers, body, method: pick('POST', 'GET', 'PUT') };
}

test.each([...webhookCatalogue.entries()])(
  '%s: random requests are refused and nothing throws',
  (provider, definition) => {
    for (let round = 0; round < rounds; round += 1) {
      const request = spoiledRequest(provider);
      const seen = { headers: request.headers, body: request.body.toString('latin1') };
      expect({ ...seen, code: verifyWebhook(definition, request, secrets, new Date()) }).toEqual({
        ...seen,
        code: expect.stringMatching(/^webhook_signature_/) as string,
      });
      const events = readEvents(definition, request);
      expect(events.length).toBeGreaterThan(0);
      for (const { externalId } of events) expect(externalId ?? 'none').toMatch(/^[\x21-\x7e]{1,200}$/);
      answerHandshake(definition, request);
      for (const value of Object.values(pickHeaders(definition, request))) expect(typeof value).toBe('string');
    }
  },
);
