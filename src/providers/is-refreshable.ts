import type { TokenSet } from './definition.js';

/** A fact, not a default: a grant is while it holds a refresh token, client credentials mint anew, keys never are. */
export function isRefreshable(tokens: TokenSet): boolean {
  return tokens.refreshToken !== null || tokens.key?.kind === 'client_credentials';
}
