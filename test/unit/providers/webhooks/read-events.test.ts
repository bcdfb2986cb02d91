import { pickHeaders } from '../../../../src/providers/webhooks/pick-headers.js';
import { webhookCatalogue } from '../../../../src/providers/webhooks/catalogue.js';
import { readEvents } from '../../../../src/providers/webhooks/read-events.js';
import { definitionOf, requestOf } from './sign.js';

const read = (provider: string, body: unknown, headers: Record<string, string> = {}) =>
  readEvents(
    definitionOf(provider),
    requestOf({ headers, body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)) }),
  );

describe('one event', () => {
  test('keeps its raw bytes and is known by the id and account its provider gives', () => {
    const body = Buffer.from('{ "event_id" : "Ev1",\n "team_id":"T1" }');
    expect(read('slack', body)).toEqual([{ externalId: 'Ev1', accountId: 'T1', body }]);
    const github = read('github', { installation: { id: 42 } }, { 'x-github-delivery': 'd-1' });
    expect(github).toMatchObject([{ externalId: 'd-1', accountId: '42' }]);
    const shop = { 'x-shopify-webhook-id': 'w1', 'x-shopify-shop-domain': 'a.myshopify.com' };
    expect(read('shopify', {}, shop)).toMatchObject([{ externalId: 'w1', accountId: 'a.myshopify.com' }]);
    const deal = { meta: { id: 'u-1', company_id: 7 } };
    expect(read('pipedrive', deal)).toMatchObject([{ externalId: 'u-1', accountId: '7' }]);
  });

  test.each([
    ['broken', Buffer.from('{"event_id":"Ev1"')],
    ['empty', Buffer.alloc(0)],
    ['binary', Buffer.from([0, 255, 254, 10])],
    ['a form', Buffer.from('payload=%7B%7D')],
    ['a bare number', Buffer.from('7')],
    ['null', Buffer.from('null')],
  ])('may be %s: then it is its bytes', (_name, body) => {
    for (const provider of webhookCatalogue.keys())
      expect(read(provider, body)).toEqual([{ externalId: null, accountId: null, body }]);
    expect(read('sandbox', body, { 'x-sandbox-delivery': 'd1' })).toMatchObject([{ externalId: 'd1', body }]);
  });

  test('has no id where the id is neither a text nor a whole number', () => {
    for (const id of [null, true, {}, [], '', 1.5, 1e300]) {
      expect(read('slack', { event_id: id })).toMatchObject([{ externalId: null }]);
    }
    expect(read('slack', { event_id: 0 })).toMatchObject([{ externalId: '0' }]);
  });

  test('is not mistaken for another whose number JSON rounds to the same', () => {
    for (const number of ['9007199254740992', '9007199254740993'])
      expect(read('slack', Buffer.from(`{"event_id":${number}}`))).toMatchObject([{ externalId: null }]);
    expect(read('slack', Buffer.from('{"event_id":9007199254740991}'))).toMatchObject([
      { externalId: '9007199254740991' },
    ]);
  });

  test('with an id that is long, or not plain, is known by its hash', () => {
    const ids = ['x'.repeat(600), 'x'.repeat(601), 'zwei Wörter', 'zwei Worter', 'a\u0000', '\u0000a'];
    const known = ids.map(id => read('slack', { event_id: id })[0]?.externalId);
    for (const id of known) expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(new Set(known).size).toBe(ids.length);
  });

  test('of a Google channel is numbered within its channel', () => {
    const of = (channel: string) => ({ 'x-goog-channel-id': channel, 'x-goog-message-number': '1' });
    expect(read('google', Buffer.alloc(0), of('a'))).toMatchObject([{ externalId: 'a/1' }]);
    expect(read('google', Buffer.alloc(0), of('b'))).toMatchObject([{ externalId: 'b/1' }]);
    expect(read('google', Buffer.alloc(0), { 'x-goog-message-number': '1' })).toMatchObject([{ externalId: null }]);
  });

  test('names no account where the way to it ends early', () => {
    for (const installation of [null, 'text', 7, [], {}])
      expect(read('github', { installation })).toMatchObject([{ accountId: null }]);
  });
});

describe('a batch', () => {
  const events = [{ id: 'e1', account_id: 'a1', n: 'ü' }, { id: 2, account_id: 'a2' }, { account_id: 'a1' }];

  test('is split, each event with its own id or one made of the delivery and its place', () => {
    const split = read('sandbox', { events }, { 'x-sandbox-delivery': 'd1' });
    expect(split.map(event => [event.externalId, event.accountId])).toEqual([
      ['e1', 'a1'],
      ['2', 'a2'],
      ['d1/2', 'a1'],
    ]);
    expect(split.map(event => JSON.parse(event.body.toString('utf8')) as unknown)).toEqual(events);
  });

  test('without an id for the delivery has none for events without one', () => {
    expect(read('sandbox', { events }).map(event => event.externalId)).toEqual(['e1', '2', null]);
  });

  test('takes the account of the whole where an event names none', () => {
    const split = read('sandbox', { account_id: 'whole', events: [{ id: 1 }, { id: 2, account_id: 'own' }] });
    expect(split.map(event => event.accountId)).toEqual(['whole', 'own']);
  });

  test('may be the body itself (HubSpot), whose event ids are not unique and count as none', () => {
    const body = [
      { eventId: 100, portalId: 1, subscriptionType: 'contact.creation' },
      { eventId: 100, portalId: 2, subscriptionType: 'contact.propertyChange' },
    ];
    const split = read('hubspot', body);
    expect(split.map(event => [event.externalId, event.accountId])).toEqual([
      [null, '1'],
      [null, '2'],
    ]);
  });

  test('of Attio belongs to the workspace each event names', () => {
    const body = { webhook_id: 'w', events: [{ event_type: 'note.created', id: { workspace_id: 'ws-1' } }] };
    expect(read('attio', body, { 'idempotency-key': 'k1' })).toMatchObject([{ externalId: 'k1/0', accountId: 'ws-1' }]);
  });

  test('of QuickBooks is an array of CloudEvents', () => {
    const body = [{ specversion: '1.0', id: '88cd52aa', intuitaccountid: '310687' }];
    expect(read('quickbooks', body)).toMatchObject([{ externalId: '88cd52aa', accountId: '310687' }]);
  });

  test('that is empty, none, beyond all measure or nested too deep is one event of its raw bytes', () => {
    const deep = Buffer.from(`{"events":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`);
    const many = Buffer.from(JSON.stringify({ events: Array(2000).fill({ id: 1 }) }));
    for (const body of [
      deep,
      many,
      ...['{"events":[]}', '{"events":{}}', '{"events":"x"}'].map(text => Buffer.from(text)),
    ])
      expect(read('sandbox', body, { 'x-sandbox-delivery': 'd1' })).toEqual([
        { externalId: 'd1', accountId: null, body },
      ]);
  });

  test('may hold anything', () => {
    const split = read('sandbox', { events: [null, 1, 'text', [], {}] }, { 'x-sandbox-delivery': 'd1' });
    expect(split.map(event => [event.externalId, event.body.toString('utf8')])).toEqual([
      ['d1/0', 'null'],
      ['d1/1', '1'],
      ['d1/2', '"text"'],
      ['d1/3', '[]'],
      ['d1/4', '{}'],
    ]);
  });
});

describe('the headers kept', () => {
  const all = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    authorization: 'Bearer x',
    cookie: 'a=b',
    'x-hub-signature-256': 'sha256=00',
    'x-other': 'y',
  };

  test('are the content type and what the provider’s definition names', () => {
    expect(pickHeaders(definitionOf('github'), requestOf({ headers: all }))).toEqual({
      'content-type': 'application/json',
      'x-github-event': 'push',
    });
  });

  test('are left out when they came twice or are far too long', () => {
    const headers = { 'content-type': ['a/b', 'c/d'], 'x-github-event': 'p'.repeat(5000) };
    expect(pickHeaders(definitionOf('github'), requestOf({ headers }))).toEqual({});
  });

  test.each([...webhookCatalogue.entries()])('never prove who sent it (%s)', (_provider, definition) => {
    const { signature, handshake, headers = [] } = definition;
    const proofs = ['authorization', 'cookie', 'x-hook-secret'];
    if ('header' in signature) proofs.push(signature.header);
    if (signature.kind === 'token' && 'header' in signature.place) proofs.push(signature.place.header);
    if (handshake?.kind === 'echo-secret-header') proofs.push(handshake.header);
    expect(headers.filter(name => proofs.includes(name))).toEqual([]);
    expect(headers).toEqual(headers.map(name => name.toLowerCase()));
  });
});
