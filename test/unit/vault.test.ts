import { inspect } from 'node:util';
import pino from 'pino';
import { newId } from '../../src/ids.js';
import { RelinkError } from '../../src/errors.js';
import { credentialTokensBinding, sessionGrantBinding, sessionRequestBinding } from '../../src/vault/bindings.js';
import { generateKey } from '../../src/vault/generate-key.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';
import { createVault } from '../../src/vault/vault.js';

const entry = generateKey().reveal();
const ring = parseKeyRing(new Secret(entry));
const vault = createVault(ring);
const binding = credentialTokensBinding(newId('credential'));

function expectUnreadable(sealed: string, bound = binding, opener = vault): void {
  let thrown: unknown;
  try {
    opener.open(sealed, bound);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RelinkError);
  expect(thrown).toMatchObject({ code: 'secret_unreadable' });
}

/** Changes one character of the dot-separated part. */
function tamper(sealed: string, part: number, position: number): string {
  const parts = sealed.split('.');
  const text = parts[part] ?? '';
  const at = position < 0 ? text.length + position : position;
  parts[part] = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  return parts.join('.');
}

describe('sealing', () => {
  it.each([
    ['a short token', 'tok_1'],
    ['an empty text', ''],
    ['a token of 8 kB', 'x'.repeat(8192)],
    ['text beyond ASCII', 'Zürich – 東京 – 🔑'],
  ])('opens %s again', (_name, text) => {
    expect(vault.open(vault.seal(new Secret(text), binding), binding).reveal()).toBe(text);
  });

  it('has the documented form and holds nothing of the text', () => {
    const sealed = vault.seal(new Secret('visible-token'), binding);
    expect(sealed).toMatch(/^v1\.k[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(sealed).not.toContain('visible-token');
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain('visible-token');
  });

  it('never yields the same text twice', () => {
    const all = Array.from({ length: 200 }, () => vault.seal(new Secret('same'), binding).split('.')[2]);
    expect(new Set(all).size).toBe(200);
  });

  it.each([
    ['version', 0, 1],
    ['key name', 1, 3],
    ['nonce', 2, 0],
    ['ciphertext', 3, 0],
    ['tag', 3, -2],
    ['last character', 3, -1],
  ])('refuses a changed %s', (_name, part, position) => {
    // 31 bytes of body and tag: the last character carries spare bits, which a lax decoder would ignore.
    const sealed = vault.seal(new Secret('fifteen letters'), binding);
    expect(vault.open(sealed, binding).reveal()).toBe('fifteen letters');
    expectUnreadable(tamper(sealed, part, position));
  });

  it('refuses every single changed character of nonce, ciphertext and tag', () => {
    const sealed = vault.seal(new Secret('fifteen letters'), binding);
    const start = sealed.indexOf('.', 3) + 1;
    for (let at = start; at < sealed.length; at += 1) {
      if (sealed[at] === '.') continue;
      for (const letter of ['A', 'b', '-', '9']) {
        if (letter !== sealed[at]) expectUnreadable(sealed.slice(0, at) + letter + sealed.slice(at + 1));
      }
    }
  });

  it.each([
    ['nothing', ''],
    ['plain text', 'a token that was never sealed'],
    ['too few parts', 'v1.k.abc'],
    ['a body shorter than the tag', `v1.${ring.newestKeyName}.AAAAAAAAAAAAAAAA.AAAA`],
    ['a nonce of another length', `v1.${ring.newestKeyName}.AAAA.${'A'.repeat(64)}`],
  ])('refuses %s', (_name, text) => {
    expectUnreadable(text);
  });

  it('refuses a part too many, padding and white space', () => {
    const sealed = vault.seal(new Secret('token'), binding);
    for (const changed of [`${sealed}.x`, `${sealed}=`, ` ${sealed}`, `${sealed}\n`]) expectUnreadable(changed);
  });

  it('opens only in its own row and column', () => {
    const session = newId('session');
    const sealed = vault.seal(new Secret('token'), sessionGrantBinding(session));
    expect(vault.open(sealed, sessionGrantBinding(session)).reveal()).toBe('token');
    expectUnreadable(sealed, sessionRequestBinding(session));
    expectUnreadable(sealed, sessionGrantBinding(newId('session')));
    expectUnreadable(sealed, credentialTokensBinding(newId('credential')));
    expectUnreadable(sealed, '');
  });
});

describe('rotating keys', () => {
  const newer = generateKey().reveal();
  const rotated = createVault(parseKeyRing(new Secret(`${newer},${entry}`)));

  it('opens what an older key sealed', () => {
    const old = vault.seal(new Secret('token'), binding);
    expect(rotated.open(old, binding).reveal()).toBe('token');
  });

  it('seals under the newest key', () => {
    const sealed = rotated.seal(new Secret('token'), binding);
    expect(sealed.split('.')[1]).toBe(newer.split(':')[0]);
    expectUnreadable(sealed, binding, vault);
  });

  it('does not open under another key of the same name', () => {
    const sealed = vault.seal(new Secret('token'), binding);
    const impostor = `${entry.split(':')[0]}:${newer.split(':')[1]}`;
    expectUnreadable(sealed, binding, createVault(parseKeyRing(new Secret(impostor))));
  });

  it('does not take text whose key name was swapped for that of another key in the ring', () => {
    const [version, , nonce, body] = vault.seal(new Secret('token'), binding).split('.');
    expectUnreadable([version, newer.split(':')[0], nonce, body].join('.'), binding, rotated);
  });
});

describe('a secret', () => {
  const value = 'do-not-print-me';
  const secret = new Secret(value);

  it.each<[string, () => string]>([
    ['util.inspect', () => inspect({ secret }, { depth: 9, showHidden: true })],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['a template string', () => `${String(secret)} ${secret.toString()}`],
    ['concatenation', () => ['', secret].join('')],
    ['Object.entries', () => JSON.stringify(Object.entries(secret))],
    ['structuredClone', () => inspect(structuredClone(secret))],
    ['an error', () => inspect(new Error(`failed for ${String(secret)}`, { cause: secret }))],
  ])('is redacted by %s', (_name, print) => {
    expect(print()).not.toContain(value);
  });

  it('is redacted by the logger, at any depth', () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: line => void lines.push(line) });
    log.info({ secret, nested: { list: [secret] } }, 'with %s and %o', secret, { secret });
    expect(lines.join('')).toContain('[redacted]');
    expect(lines.join('')).not.toContain(value);
  });

  it('is given out by reveal alone', () => {
    expect(secret.reveal()).toBe(value);
  });
});
