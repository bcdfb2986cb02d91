import type { TokenSet } from '../providers/definition.js';
import { parseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { Vault } from '../vault/vault.js';

/** A credential's tokens, opened. Throws RelinkError `secret_unreadable`. */
export function openTokens(vault: Vault, { id, sealedTokens }: Pick<Credential, 'id' | 'sealedTokens'>): TokenSet {
  return parseTokenSet(vault.open(sealedTokens, credentialTokensBinding(id)));
}
