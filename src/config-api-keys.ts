import { z } from 'zod';
import { sha256Hex } from './vault/hash.js';
import { Secret } from './vault/secret.js';

/** What a key may do beyond the API's ordinary routes. No key may unless it is said so. */
export const apiKeyScopes = ['tokens:read'] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export interface ApiKey {
  readonly secret: Secret;
  /** For records and logs: its `name=`, or what tells it from others without giving it away. */
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
}

const leastLength = 24;
const nameForm = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * No key and no name twice: of two entries with one key, one's scopes would be lost, and a name that two keys share tells
 * nobody which of them read a token.
 */
export function refuseRepeatedKeys(keys: readonly ApiKey[], context: z.core.$RefinementCtx): void {
  keys.forEach(({ secret, name }, index) => {
    const earlier = keys.slice(0, index);
    const fail = (message: string) => context.addIssue({ code: 'custom', path: [index], message });
    if (earlier.some(other => other.secret.reveal() === secret.reveal())) fail('repeats the key of an earlier entry');
    else if (earlier.some(other => other.name === name)) fail('repeats the name of an earlier entry');
  });
}

/** One entry of RELINK_API_KEYS: `<key> [name=<name>] [<scope> …]`, divided by blanks, which no key can hold. */
export const apiKeyEntry = z.string().transform((entry, context): ApiKey => {
  const [key = '', ...attributes] = entry.split(/\s+/);
  const fail = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (key.length < leastLength) return fail(`needs a key of at least ${leastLength} characters`);
  let name = `key-${sha256Hex(key).slice(0, 8)}`;
  const scopes = new Set<ApiKeyScope>();
  for (const attribute of attributes) {
    const scope = apiKeyScopes.find(known => known === attribute);
    if (scope !== undefined) scopes.add(scope);
    else if (attribute.startsWith('name=') && nameForm.test(attribute.slice(5))) name = attribute.slice(5);
    else return fail(`may be followed by name=… (letters, digits, . _ -) and ${apiKeyScopes.join(', ')} only`);
  }
  return { secret: new Secret(key), name, scopes: [...scopes] };
});
