import { inspect } from 'node:util';
import { ConfigError } from '../../src/errors.js';
import { generateKey } from '../../src/vault/generate-key.js';
import { equalsConstantTime, randomToken, sha256Hex } from '../../src/vault/hash.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');

function problemsOf(text: string): readonly string[] {
  try {
    parseKeyRing(new Secret(text));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const shown = inspect(error);
    for (const piece of text.split(/[,:]/)) if (piece.length > 8) expect(shown).not.toContain(piece.trim());
    return error instanceof ConfigError ? error.problems : [];
  }
  throw new Error('the key ring was accepted');
}

describe('parseKeyRing', () => {
  it('takes the first key as the newest and keeps the others', () => {
    const ring = parseKeyRing(new Secret(` new:${key(1)} , old:${key(2)}`));
    expect(ring.newestKeyName).toBe('new');
    expect([...ring.keys.keys()]).toEqual(['new', 'old']);
    expect(ring.keys.get('old')?.export()).toEqual(Buffer.alloc(32, 2));
  });

  it('does not show its keys', () => {
    const shown = inspect(parseKeyRing(new Secret(`new:${key(77)}`)), { depth: 9, showHidden: true });
    expect(shown).not.toContain(key(77));
    expect(shown).not.toContain('4d 4d 4d');
  });

  it.each([
    ['nothing', ''],
    ['a key without a name', key(1)],
    ['an empty name', `:${key(1)}`],
    ['a name with a dot', `a.b:${key(1)}`],
    ['a name that is too long', `${'i'.repeat(33)}:${key(1)}`],
    ['a key that is too short', `a:${Buffer.alloc(31, 1).toString('base64')}`],
    ['a key that is too long', `a:${Buffer.alloc(33, 1).toString('base64')}`],
    ['base64 without its padding', `a:${key(1).replace('=', '')}`],
    ['base64 with a stray character', `a:${key(1).slice(0, 10)}!${key(1).slice(10)}`],
    ['hexadecimal', `a:${Buffer.alloc(32, 1).toString('hex')}`],
    ['a colon too many', `a:${key(1)}:x`],
    ['a comma at the end', `a:${key(1)},`],
    ['the same name twice', `a:${key(1)},a:${key(2)}`],
  ])('refuses %s without repeating it', (_name, text) => {
    expect(problemsOf(text)).toHaveLength(1);
  });

  it('names every faulty key by its position', () => {
    const problems = problemsOf(`x,good:${key(1)},y:short`);
    expect(problems).toEqual([
      expect.stringMatching(/^RELINK_KEYS, key 1 of 3, must read/),
      expect.stringMatching(/^RELINK_KEYS, key 3 of 3, must be the base64/),
    ]);
  });
});

describe('generateKey', () => {
  it('makes an entry that the ring accepts, each time another', () => {
    const first = generateKey();
    expect(parseKeyRing(first).keys.size).toBe(1);
    expect(generateKey().reveal()).not.toBe(first.reveal());
  });
});

describe('hashing', () => {
  it('gives the SHA-256 of the UTF-8 text', () => {
    // FIPS 180-4, example "abc".
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256Hex('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });

  it('compares texts of any length', () => {
    expect(equalsConstantTime('token', 'token')).toBe(true);
    expect(equalsConstantTime('token', 'tokem')).toBe(false);
    expect(equalsConstantTime('token', 'token ')).toBe(false);
    expect(equalsConstantTime('', 'x')).toBe(false);
    expect(equalsConstantTime('', '')).toBe(true);
  });

  it('draws tokens of the asked strength', () => {
    expect(randomToken()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(randomToken(16), 'base64url')).toHaveLength(16);
    expect(new Set(Array.from({ length: 500 }, () => randomToken())).size).toBe(500);
  });
});
