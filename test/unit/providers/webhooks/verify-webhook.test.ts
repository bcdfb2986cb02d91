import { webhookCatalogue } from '../../../../src/providers/webhooks/catalogue.js';
import type { WebhookDefinition, WebhookRequest } from '../../../../src/providers/webhooks/definition.js';
import { verifyWebhook } from '../../../../src/providers/webhooks/verify-webhook.js';
import { Secret } from '../../../../src/vault/secret.js';
import { definitionOf, hmac, requestOf, signers, signJwt } from './sign.js';

// Standard Webhooks' own library looks at the real clock.
const now = new Date();
const key = Buffer.from('the right key, thirty-two bytes!').toString('base64');
const otherKey = Buffer.from('another key, of the right length').toString('base64');
const body = Buffer.from('{"id":"evt_1","name":"Zoë 🚲"}');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000);

const verify = (definition: WebhookDefinition, request: WebhookRequest, ...secrets: string[]) =>
  verifyWebhook(
    definition,
    request,
    secrets.map(secret => new Secret(secret)),
    now,
  );

function signed(provider: string, secret = key, at = now, content = body): WebhookRequest {
  const sign = signers[provider];
  if (sign === undefined) throw new Error(`no signer for ${provider}`);
  return requestOf({ body: content, ...sign(secret, content, at) });
}

const providers = [...webhookCatalogue.keys()];
const signing = providers.filter(name => ['hmac', 'jwt'].includes(definitionOf(name).signature.kind));
const overBody = signing.filter(name => definitionOf(name).signature.kind === 'hmac' && name !== 'linear');
const timed = ['slack', 'stripe', 'calendly', 'zendesk', 'hubspot', 'linear'];

const standardWebhooks: WebhookDefinition = {
  signature: { kind: 'standard-webhooks' },
  deliveryId: { header: 'webhook-id' },
  accountId: null,
};

test('every provider of the catalogue has a signer here', () => {
  expect(Object.keys(signers).sort()).toEqual([...providers].sort());
});

describe.each(providers)('%s', provider => {
  const definition = definitionOf(provider);

  test('is accepted when signed by any secret in rotation', () => {
    expect(verify(definition, signed(provider), key)).toBeNull();
    expect(verify(definition, signed(provider), otherKey, key)).toBeNull();
    expect(verify(definition, signed(provider), key, otherKey)).toBeNull();
  });

  test('is refused when signed by another secret', () => {
    expect(verify(definition, signed(provider, otherKey), key)).toBe('webhook_signature_wrong');
    expect(verify(definition, signed(provider, key), otherKey, `${otherKey.slice(0, -4)}AAA=`)).toBe(
      'webhook_signature_wrong',
    );
  });

  test('is refused without a signature', () => {
    expect(verify(definition, requestOf({ body }), key)).toBe('webhook_signature_missing');
    const empty = Object.fromEntries(Object.keys(signed(provider).headers).map(name => [name, '']));
    expect(verify(definition, requestOf({ headers: empty }), key)).toBe('webhook_signature_missing');
  });

  test('is refused where no secret, or an empty one, is configured', () => {
    expect(verify(definition, signed(provider))).toBe('webhook_secret_missing');
    expect(verify(definition, signed(provider, ''), '')).toBe('webhook_secret_missing');
    expect(verify(definition, signed(provider), '', key)).toBeNull();
  });

  test('is refused when a header came twice', () => {
    const request = signed(provider);
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value !== 'string') throw new Error('one value each');
      const asList = { ...request, headers: { ...request.headers, [name]: [value, value] } };
      expect(verify(definition, asList, key)).toBe('webhook_signature_missing');
      // How Node hands on most headers that came twice.
      const joined = { ...request, headers: { ...request.headers, [name]: `${value}, ${value}` } };
      expect(verify(definition, joined, key)).toMatch(/^webhook_signature_/);
    }
  });
});

describe.each(overBody)('%s signs the raw body', provider => {
  const definition = definitionOf(provider);

  test.each([
    ['truncated', body.subarray(0, -1)],
    ['longer', Buffer.concat([body, Buffer.from(' ')])],
    ['in another Unicode form', Buffer.from(body.toString('utf8').normalize('NFD'))],
    ['empty', Buffer.alloc(0)],
  ])('a body that is %s is refused', (_name, changed) => {
    expect(verify(definition, { ...signed(provider), body: changed }, key)).toBe('webhook_signature_wrong');
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ['one megabyte', Buffer.alloc(1_048_576, 'ü')],
  ])('a signed body that is %s is accepted', (_name, content) => {
    expect(verify(definition, signed(provider, key, now, content), key)).toBeNull();
  });

  test('a signature of another length, or with something behind it, is refused', () => {
    const request = signed(provider);
    const { signature } = definition;
    if (signature.kind !== 'hmac') throw new Error('only HMAC here');
    const right = String(request.headers[signature.header]);
    for (const wrong of [right.slice(0, -2), right.slice(0, -1), `${right}00`, `${right}0`, `${right}zz`, `${right}=`])
      expect(verify(definition, { ...request, headers: { ...request.headers, [signature.header]: wrong } }, key)).toBe(
        'webhook_signature_wrong',
      );
    const { prefix } = signature;
    if (prefix === undefined) return;
    const bare = { ...request.headers, [signature.header]: right.slice(prefix.length) };
    expect(verify(definition, { ...request, headers: bare }, key)).toBe('webhook_signature_wrong');
  });
});

describe.each(timed)('%s signs a time', provider => {
  const definition = definitionOf(provider);
  const window = definition.toleranceSeconds ?? 300;

  test('outside the window, in either direction, it is stale', () => {
    for (const seconds of [window + 2, -window - 2])
      expect(verify(definition, signed(provider, key, secondsAgo(seconds)), key)).toBe('webhook_signature_stale');
    for (const seconds of [window - 2, 2 - window])
      expect(verify(definition, signed(provider, key, secondsAgo(seconds)), key)).toBeNull();
  });
});

describe.each(timed.filter(name => name !== 'linear'))('%s', provider => {
  test('is refused when the time was moved without signing anew', () => {
    const old = signed(provider, key, secondsAgo(3600));
    const fresh = signed(provider, otherKey, now);
    const { signature } = definitionOf(provider);
    if (signature.kind !== 'hmac') throw new Error('only HMAC here');
    const header = String(old.headers[signature.header]);
    const moved =
      signature.listKey === undefined ? header : header.replace(/t=\d+/, `t=${Math.floor(now.getTime() / 1000)}`);
    const request = { ...old, headers: { ...fresh.headers, [signature.header]: moved } };
    expect(verify(definitionOf(provider), request, key)).toBe('webhook_signature_wrong');
  });

  test('is refused when the time is none', () => {
    const request = signed(provider);
    for (const time of ['soon', '-1', '1e400', '99999999999999999999', ' ']) {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          name,
          name.endsWith('timestamp') ? time : String(value).replace(/t=\d+/, `t=${time}`),
        ]),
      );
      expect(verify(definitionOf(provider), { ...request, headers }, key)).toMatch(/_(stale|missing)$/);
    }
  });
});

describe('known vectors', () => {
  test('GitHub: secret and payload of "Validating webhook deliveries", signed by OpenSSL', () => {
    const digest = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const request = requestOf({
      body: Buffer.from('Hello, World!'),
      headers: { 'x-hub-signature-256': `sha256=${digest}` },
    });
    expect(verify(definitionOf('github'), request, "It's a Secret to Everybody")).toBeNull();
  });

  test('Slack: the example of "Verifying requests from Slack"', () => {
    const form = [
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V',
      '&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=',
      '&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN',
      '&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    ];
    const request = requestOf({
      body: Buffer.from(form.join('')),
      headers: {
        'x-slack-request-timestamp': '1531420618',
        'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      },
    });
    const secrets = [new Secret('8f742231b10e8888abcd99yyyzzz85a5')];
    const at = (seconds: number) => verifyWebhook(definitionOf('slack'), request, secrets, new Date(seconds * 1000));
    expect(at(1531420618)).toBeNull();
    expect(at(1531420618 + 301)).toBe('webhook_signature_stale');
  });

  test('Standard Webhooks: the example of the specification', () => {
    const signedAt = 1614265330_000;
    const request = requestOf({
      body: Buffer.from('{"test": 2432232314}'),
      headers: {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
    });
    jest.useFakeTimers({ now: signedAt });
    try {
      const secrets = [new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')];
      expect(verifyWebhook(standardWebhooks, request, secrets, new Date(signedAt))).toBeNull();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a list of signatures', () => {
  const at = Math.floor(now.getTime() / 1000);
  const right = hmac(key, `${at}.`, body).digest('hex');
  const verifyList = (header: string) =>
    verify(definitionOf('stripe'), requestOf({ body, headers: { 'stripe-signature': header } }), key);

  test('needs one that is right, of the version that counts', () => {
    const wrong = '0'.repeat(64);
    expect(verifyList(`t=${at},v1=${wrong},v1=${right},v0=${wrong}`)).toBeNull();
    expect(verifyList(`t=${at}, v1=${right}`)).toBeNull();
    expect(verifyList(`t=${at},v0=${right}`)).toBe('webhook_signature_missing');
    expect(verifyList(`t=${at},v1=${wrong}`)).toBe('webhook_signature_wrong');
    expect(verifyList(`t=${at},v1=`)).toBe('webhook_signature_wrong');
  });

  test('needs exactly one time', () => {
    expect(verifyList(`v1=${right}`)).toBe('webhook_signature_missing');
    expect(verifyList(`t=${at},t=${at},v1=${right}`)).toBe('webhook_signature_stale');
  });
});

describe('HubSpot', () => {
  test('signs method and address too', () => {
    const request = signed('hubspot');
    for (const changed of [{ method: 'PUT' }, { url: `${request.url}?a=1` }])
      expect(verify(definitionOf('hubspot'), { ...request, ...changed }, key)).toBe('webhook_signature_wrong');
  });
});

describe('Standard Webhooks', () => {
  const definition = standardWebhooks;
  const sign = (secret: string, at: Date, content = body, id = 'msg_1') => {
    const time = String(Math.floor(at.getTime() / 1000));
    const digest = hmac(Buffer.from(secret, 'base64'), `${id}.${time}.`, content).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${digest}` };
  };
  const check = (headers: WebhookRequest['headers'], ...secrets: string[]) =>
    verify(definition, requestOf({ headers, body }), ...secrets);

  test('are accepted by any secret in rotation, with and without its prefix, and by any signature of the list', () => {
    const headers = sign(key, now);
    expect(check(headers, key)).toBeNull();
    expect(check(headers, `whsec_${otherKey}`, `whsec_${key}`)).toBeNull();
    const both = `${sign(otherKey, now)['webhook-signature']} v1a,AAAA ${headers['webhook-signature']}`;
    expect(check({ ...headers, 'webhook-signature': both }, key)).toBeNull();
  });

  test('are refused when anything signed is changed', () => {
    const headers = sign(key, now);
    expect(check(headers, otherKey)).toBe('webhook_signature_wrong');
    expect(check({ ...headers, 'webhook-id': 'msg_2' }, key)).toBe('webhook_signature_wrong');
    const moved = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) };
    expect(check(moved, key)).toBe('webhook_signature_wrong');
    expect(verify(definition, requestOf({ headers, body: body.subarray(1) }), key)).toBe('webhook_signature_wrong');
  });

  test('are refused outside the window, without a header, without a usable secret', () => {
    for (const seconds of [310, -310])
      expect(check(sign(key, secondsAgo(seconds)), key)).toBe('webhook_signature_stale');
    expect(check({ ...sign(key, now), 'webhook-timestamp': '1e9' }, key)).toBe('webhook_signature_stale');
    for (const name of Object.keys(sign(key, now)))
      expect(check({ ...sign(key, now), [name]: undefined }, key)).toBe('webhook_signature_missing');
    expect(check(sign(key, now))).toBe('webhook_secret_missing');
    expect(check(sign(key, now), '')).toBe('webhook_secret_missing');
    expect(check(sign(key, now), 'not base64!')).toBe('webhook_signature_wrong');
  });

  test('are refused when a header came twice', () => {
    const headers = sign(key, now);
    for (const [name, value] of Object.entries(headers))
      expect(check({ ...headers, [name]: `${value}, ${value}` }, key)).toMatch(/_(wrong|stale)$/);
  });

  test('are refused over bytes that are no text: as text, different ones look alike', () => {
    const content = Buffer.from([0x7b, 0xff, 0x7d]);
    const asText = Buffer.from(content.toString('utf8'));
    const request = requestOf({ headers: sign(key, now, asText), body: content });
    expect(verify(definition, request, key)).toBe('webhook_signature_wrong');
    expect(verify(definition, { ...request, body: asText }, key)).toBeNull();
  });
});

describe('a JWT', () => {
  const at = Math.floor(now.getTime() / 1000);
  const check = (token: string) =>
    verify(definitionOf('monday'), requestOf({ headers: { authorization: token } }), otherKey, key);

  test('is accepted with and without the word Bearer', () => {
    expect(check(signJwt(key, { exp: at + 60 }))).toBeNull();
    expect(check(`Bearer ${signJwt(key, { exp: at + 60 })}`)).toBeNull();
  });

  test('is stale after its end and before its beginning', () => {
    expect(check(signJwt(key, { exp: at - 90 }))).toBe('webhook_signature_stale');
    expect(check(signJwt(key, { nbf: at + 90 }))).toBe('webhook_signature_stale');
  });

  test('is refused with any other algorithm, with extensions, with claims that are none', () => {
    const [, claims] = signJwt(key, { exp: at + 60 }).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
    const wrong = [
      none,
      signJwt(key, {}, { alg: 'none' }),
      signJwt(key, {}, { alg: 'HS512' }),
      signJwt(key, {}, { alg: 'RS256' }),
      signJwt(key, {}, { alg: 'HS256', crit: ['exp'] }),
      signJwt(key, { exp: 'never' }),
      signJwt(key, []),
      `${signJwt(key, {})}.more`,
      `${signJwt(key, {})}=`,
      signJwt(key, {}).replace(/\.[^.]*$/, ''),
      'Bearer',
      '..',
    ];
    for (const token of wrong)
      expect({ token, answer: check(token) }).toEqual({ token, answer: 'webhook_signature_wrong' });
  });
});

describe('a shared token', () => {
  test('has to be right in every notification of a batch', () => {
    const check = (value: unknown) =>
      verify(definitionOf('microsoft'), requestOf({ body: Buffer.from(JSON.stringify({ value })) }), key);
    expect(check([{ clientState: key }, { clientState: 'mine' }])).toBe('webhook_signature_wrong');
    expect(check([{ clientState: key }, {}])).toBe('webhook_signature_missing');
    expect(check([])).toBe('webhook_signature_missing');
    expect(check({ clientState: key })).toBe('webhook_signature_missing');
  });

  test('by HTTP Basic is the password, colons and all', () => {
    const check = (authorization: string, secret: string) =>
      verify(definitionOf('pipedrive'), requestOf({ headers: { authorization } }), secret);
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(check(basic('user:a:b'), 'a:b')).toBeNull();
    expect(check(basic('ü:pä'), 'pä')).toBeNull();
    expect(check(basic('secret'), 'secret')).toBe('webhook_signature_missing');
    expect(check(basic('user:'), 'secret')).toBe('webhook_signature_wrong');
    expect(check('Bearer secret', 'secret')).toBe('webhook_signature_missing');
  });

  test('is none when it is not a text or a whole number', () => {
    const check = (token: unknown, secret: string) =>
      verify(definitionOf('zoho'), requestOf({ body: Buffer.from(JSON.stringify({ token })) }), secret);
    expect(check(12, '12')).toBeNull();
    for (const token of [[key], { toString: key }, true, null, '']) expect(check(token, key)).toMatch(/_missing$/);
    expect(verify(definitionOf('zoho'), requestOf({ body: Buffer.from('not json') }), key)).toMatch(/_missing$/);
  });
});

test('a secret that decodes to nothing is no secret', () => {
  expect(verify(definitionOf('airtable'), signed('airtable', ''), '!!!')).toBe('webhook_secret_missing');
  expect(verify(definitionOf('airtable'), signed('airtable', ''), '!!!', key)).toBe('webhook_signature_wrong');
});

test('only a definition that says so takes unsigned webhooks', () => {
  expect(providers.filter(name => definitionOf(name).signature.kind === 'unsigned')).toEqual([]);
  const definition: WebhookDefinition = { signature: { kind: 'unsigned' }, deliveryId: null, accountId: null };
  expect(verify(definition, requestOf())).toBeNull();
});
