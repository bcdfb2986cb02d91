import { RelinkError } from '../errors.js';
import type { ProviderDefinition, TokenSet } from './definition.js';

/** The one header by which a request proves whose it is; its name in lower case. */
export interface AuthorizationHeader {
  readonly name: string;
  /** Secret. */
  readonly value: string;
}

/**
 * The header that carries a credential, in the form that its kind has at this provider: a scheme and the token in
 * `Authorization` (RFC 6750 section 2.1, RFC 7617), or the value alone in a header of the provider's own.
 *
 * @throws RelinkError `kind_not_taken` for a stored key of a kind that the provider's definition no longer names.
 */
export function authorizeRequest(
  provider: Pick<ProviderDefinition, 'id' | 'authorizationScheme' | 'authorizationHeader' | 'keys'>,
  tokens: TokenSet,
): AuthorizationHeader {
  const secret = tokens.accessToken.reveal();
  switch (tokens.key?.kind) {
    case 'basic':
      return { name: 'authorization', value: `Basic ${Buffer.from(secret, 'utf8').toString('base64')}` };
    case 'api_key': {
      const form = provider.keys?.api_key;
      if (form === undefined) throw new RelinkError('kind_not_taken', `${provider.id}: api_key`);
      return 'header' in form
        ? { name: form.header.toLowerCase(), value: secret }
        : { name: 'authorization', value: `${form.scheme} ${secret}` };
    }
    case 'client_credentials':
    case undefined:
      return provider.authorizationHeader === undefined
        ? { name: 'authorization', value: `${provider.authorizationScheme} ${secret}` }
        : { name: provider.authorizationHeader.toLowerCase(), value: secret };
  }
}
