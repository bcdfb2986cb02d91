import { answerHandshake } from '../../../../src/providers/webhooks/answer-handshake.js';
import { verifyWebhook } from '../../../../src/providers/webhooks/verify-webhook.js';
import { webhookCatalogue } from '../../../../src/providers/webhooks/catalogue.js';
import { Secret } from '../../../../src/vault/secret.js';
import { definitionOf, requestOf, signers } from './sign.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const answer = (provider: string, request: Parameters<typeof requestOf>[0]) =>
  answerHandshake(definitionOf(provider), requestOf(request));

test('Slack: the challenge comes back, behind a right signature', () => {
  const body = json({ type: 'url_verification', challenge: '3eZbrw', token: 'old' });
  const result = answer('slack', { body });
  expect(result).toMatchObject({ signed: true, contentType: 'application/json', secret: null });
  expect(JSON.parse(result?.body ?? '')).toEqual({ challenge: '3eZbrw' });
});

test('Slack: an event that happens to have such a field is an event', () => {
  expect(answer('slack', { body: json({ type: 'event_callback', challenge: '3eZbrw' }) })).toBeNull();
});

test('monday: the challenge comes back', () => {
  const result = answer('monday', { body: json({ challenge: 'abc' }) });
  expect(result).toMatchObject({ signed: false, body: '{"challenge":"abc"}', secret: null });
  expect(answer('monday', { body: json({ event: { challenge: 'abc' } }) })).toBeNull();
  expect(answer('monday', { body: json({ challenge: { a: 1 } }) })).toBeNull();
});

test.each([
  ['microsoft', 'POST', 'validationToken'],
  ['dropbox', 'GET', 'challenge'],
])('%s: the token of the address comes back as plain text', (provider, method, parameter) => {
  const token = 'Validation: <b>äö</b> 1%2';
  const result = answer(provider, { method, query: { [parameter]: token }, body: Buffer.alloc(0) });
  expect(result).toMatchObject({ signed: false, body: token, secret: null });
  expect(result?.contentType).toMatch(/^text\/plain/);
  expect(answer(provider, { method, query: { other: token } })).toBeNull();
});

test('Asana: the secret comes back as a header and is given out to be kept', () => {
  const result = answer('asana', { headers: { 'x-hook-secret': 's3cret' }, body: Buffer.alloc(0) });
  expect(result).toMatchObject({ signed: false, body: '', headers: { 'x-hook-secret': 's3cret' } });
  expect(result?.secret?.reveal()).toBe('s3cret');
  expect(answer('asana', { headers: { 'x-hook-secret': ['a', 'b'] } })).toBeNull();
});

test('Notion: the first request brings the secret', () => {
  const result = answer('notion', { body: json({ verification_token: 'secret_1' }) });
  expect(result).toMatchObject({ signed: false, body: '' });
  expect(result?.secret?.reveal()).toBe('secret_1');
});

test.each([
  ['asana', { 'x-hook-secret': 'new', 'x-hook-signature': 'ab' }],
  ['notion', { 'x-notion-signature': 'sha256=ab' }],
])('%s: what carries a signature brings no secret', (provider, headers) => {
  expect(answer(provider, { headers, body: json({ verification_token: 'new' }) })).toBeNull();
});

test('Xero: intent to receive is the answer to a signature, right or wrong', () => {
  const definition = definitionOf('xero');
  const body = json({ events: [], firstEventSequence: 0, lastEventSequence: 0, entropy: 'S0m3' });
  const verify = (secret: string) => {
    const request = requestOf({ body, ...signers['xero']?.('right', body, new Date()) });
    expect(answerHandshake(definition, request)).toMatchObject({ signed: true, body: '', secret: null });
    return verifyWebhook(definition, request, [new Secret(secret)], new Date());
  };
  expect(verify('right')).toBeNull();
  expect(verify('wrong')).toBe('webhook_signature_wrong');
  expect(answer('xero', { body: json({ events: [{ eventType: 'UPDATE' }] }) })).toBeNull();
});

test('Mailchimp: a GET wants a 200', () => {
  expect(answer('mailchimp', { method: 'GET' })).toMatchObject({ body: '', secret: null });
  expect(answer('mailchimp', { method: 'POST' })).toBeNull();
});

test.each([...webhookCatalogue.keys()])('%s: what is far too long is not echoed', provider => {
  const long = 'x'.repeat(10_000);
  const request = {
    query: { challenge: long, validationToken: long },
    headers: { 'x-hook-secret': long },
    body: json({ type: 'url_verification', challenge: long, verification_token: long }),
  };
  expect(answer(provider, request)).toBeNull();
});

test.each([...webhookCatalogue.keys()])('%s: an ordinary webhook is no handshake', provider => {
  const body = json({ id: 'evt_1', events: [{ id: 1 }], event: { type: 'x' } });
  expect(answer(provider, { ...signers[provider]?.('secret', body, new Date()) })).toBeNull();
});
