import type { CredentialId } from '../../../src/domain/ids.js';
import { parseTokenSet } from '../../../src/providers/token-set-codec.js';
import { credentialTokensBinding } from '../../../src/vault/bindings.js';
import { parseKeyRing } from '../../../src/vault/parse-key-ring.js';
import { Secret } from '../../../src/vault/secret.js';
import { createVault, type Vault } from '../../../src/vault/vault.js';
import { idOf } from '../ids.js';
import type { E2eStack } from './start-e2e-stack.js';

/** Opens what the stack sealed, with its own key ring. */
export function openVault(stack: E2eStack): Vault {
  return createVault(parseKeyRing(new Secret(stack.secrets.keyRing)));
}

/** The tokens that are stored for a credential, in the clear. */
export async function unsealTokens(
  stack: E2eStack,
  credential: string,
): Promise<{ readonly accessToken: string; readonly refreshToken: string | null }> {
  const id: CredentialId = idOf('credential', credential);
  const { sealed_tokens: sealed } = await stack.database.record('credentials', id);
  const tokens = parseTokenSet(openVault(stack).open(String(sealed), credentialTokensBinding(id)));
  return { accessToken: tokens.accessToken.reveal(), refreshToken: tokens.refreshToken?.reveal() ?? null };
}
