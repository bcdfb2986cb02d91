import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { RelinkError } from '../errors.js';
import type { KeyRing } from './key-ring.js';
import { readKeyName } from './read-key-name.js';
import { Secret } from './secret.js';

const algorithm = 'aes-256-gcm';
const version = 'v1';
/** 96 bits drawn at random: good for 2^32 sealings under one key (NIST SP 800-38D section 8.3). */
const nonceBytes = 12;
const tagBytes = 16;

export interface Vault {
  /** Seals under the newest key: `v1.<key name>.<base64url nonce>.<base64url ciphertext and tag>`. */
  seal(plaintext: Secret, binding: string): string;
  /** @throws RelinkError `secret_unreadable`, whatever the reason. */
  open(sealed: string, binding: string): Secret;
  /** The same for bytes. */
  sealBytes(plaintext: Uint8Array, binding: string): string;
  openBytes(sealed: string, binding: string): Buffer;
  /** Whether the key ring has the key that the sealed text names: if so, another worker could not open it either. */
  hasKeyOf(sealed: string): boolean;
}

/** Seals with AES-256-GCM (NIST SP 800-38D). Version, key name and binding are authenticated with the text. */
export function createVault({ keys, newestKeyName }: KeyRing): Vault {
  const newestKey = keys.get(newestKeyName);
  if (newestKey === undefined) throw new RelinkError('internal', 'the key ring lacks its newest key');

  const vault: Vault = {
    seal: (plaintext, binding) => vault.sealBytes(Buffer.from(plaintext.reveal(), 'utf8'), binding),
    open: (sealed, binding) => new Secret(vault.openBytes(sealed, binding).toString('utf8')),

    sealBytes(plaintext, binding) {
      const nonce = drawNonce();
      const cipher = createCipheriv(algorithm, newestKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(additionalData(newestKeyName, binding));
      const ciphertext = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
      return [
        version,
        newestKeyName,
        nonce.toString('base64url'),
        Buffer.concat(ciphertext).toString('base64url'),
      ].join('.');
    },

    hasKeyOf: sealed => keys.has(readKeyName(sealed) ?? ''),

    openBytes(sealed, binding) {
      // One error for every reason: which part was wrong would help only somebody who tries texts out.
      const [sealedVersion, keyName = '', nonceText = '', bodyText = '', ...rest] = sealed.split('.');
      const key = keys.get(keyName);
      const nonce = decode(nonceText);
      const body = decode(bodyText);
      if (sealedVersion !== version || rest.length > 0 || key === undefined) throw unreadable();
      if (nonce?.length !== nonceBytes || body === null || body.length < tagBytes) throw unreadable();
      try {
        const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(additionalData(keyName, binding));
        decipher.setAuthTag(body.subarray(-tagBytes));
        return Buffer.concat([decipher.update(body.subarray(0, -tagBytes)), decipher.final()]);
      } catch {
        throw unreadable();
      }
    },
  };
  return vault;
}

/** Drawn many at once: a call for each one costs the intake of webhooks more than the cipher does. */
let drawn = Buffer.alloc(0);
const drawnAtOnce = 256;

function drawNonce(): Buffer {
  if (drawn.length === 0) drawn = randomBytes(nonceBytes * drawnAtOnce);
  const nonce = drawn.subarray(0, nonceBytes);
  drawn = drawn.subarray(nonceBytes);
  return nonce;
}

/** Neither version nor key name holds a dot, so no two triples give the same bytes. */
function additionalData(keyName: string, binding: string): Buffer {
  return Buffer.from(`${version}.${keyName}.${binding}`, 'utf8');
}

/** Null unless the text is the one canonical encoding of its bytes. */
function decode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function unreadable(): RelinkError {
  return new RelinkError('secret_unreadable');
}
