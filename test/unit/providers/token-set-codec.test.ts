import { inspect } from 'node:util';
import { RelinkError } from '../../../src/errors.js';
import { parseTokenSet, serialiseTokenSet } from '../../../src/providers/token-set-codec.js';
import { Secret } from '../../../src/vault/secret.js';

test('a token set survives, with and without the optional parts', () => {
  const full = {
    accessToken: new Secret('at-é-"quoted"'),
    refreshToken: new Secret('rt'),
    expiresAt: new Date('2026-01-01T00:00:00.123Z'),
    extras: { api_domain: 'https://acme.pipedrive.com' },
  };
  const back = parseTokenSet(serialiseTokenSet(full));
  expect(back.accessToken.reveal()).toBe('at-é-"quoted"');
  expect(back.refreshToken?.reveal()).toBe('rt');
  expect(back.expiresAt).toEqual(full.expiresAt);
  expect(back.extras).toEqual(full.extras);

  const bare = parseTokenSet(
    serialiseTokenSet({ accessToken: new Secret('at'), refreshToken: null, expiresAt: null, extras: {} }),
  );
  expect(bare).toMatchObject({ refreshToken: null, expiresAt: null, extras: {} });
});

test('the stored form is version 1 and stays as it is', () => {
  const text = serialiseTokenSet({
    accessToken: new Secret('at'),
    refreshToken: null,
    expiresAt: new Date(0),
    extras: { a: 'b' },
  }).reveal();
  expect(JSON.parse(text)).toEqual({
    v: 1,
    accessToken: 'at',
    refreshToken: null,
    expiresAt: '1970-01-01T00:00:00.000Z',
    extras: { a: 'b' },
  });
});

test.each([
  'not-json-hunter2',
  '{}',
  'null',
  '{"v":2,"accessToken":"hunter2","refreshToken":null,"expiresAt":null,"extras":{}}',
  '{"v":1,"accessToken":"","refreshToken":"hunter2","expiresAt":null,"extras":{}}',
  '{"v":1,"accessToken":"hunter2","refreshToken":null,"expiresAt":"tomorrow","extras":{}}',
  '{"v":1,"accessToken":"hunter2","refreshToken":null,"expiresAt":null,"extras":{"a":1}}',
])('%s is refused without its content', text => {
  try {
    parseTokenSet(new Secret(text));
    throw new Error('was accepted');
  } catch (error) {
    expect(error).toBeInstanceOf(RelinkError);
    expect(error).toMatchObject({ code: 'secret_unreadable' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  }
});
