import { z } from 'zod';
import type { ProviderId } from '../../domain/ids.js';
import type { ProviderDefinition } from '../definition.js';
import { accountNameSchema, combineIds, externalIdSchema } from './external-id.js';

const userSchema = z.object({
  data: z.object({ id: externalIdSchema, company_id: externalIdSchema, company_name: accountNameSchema }),
});

/**
 * Pipedrive. A token belongs to one user in one company. The documentation asks for user and company id together as the
 * unique key: a user of two companies has the same user id in both.
 * Sources: pipedrive.readme.io/docs/marketplace-oauth-authorization, /docs/marketplace-getting-user-data
 */
export const pipedrive: ProviderDefinition = {
  id: 'pipedrive' as ProviderId,
  name: 'Pipedrive',
  authorizationUrl: 'https://oauth.pipedrive.com/oauth/authorize',
  tokenUrl: 'https://oauth.pipedrive.com/oauth/token',
  identityUrl: 'https://api.pipedrive.com/api/v1/users/me',
  revocationUrl: 'https://oauth.pipedrive.com/oauth/revoke',
  issuer: null,
  clientAuthentication: 'client_secret_basic',
  pkce: false,
  // Scopes are chosen in the app's settings at Pipedrive.
  scope: null,
  authorizationParameters: {},
  // "Cancel" on the consent page: pipedrive.readme.io/docs/marketplace-oauth-authorization, step 3.
  denialErrors: ['user_denied'],
  authorizationScheme: 'Bearer',
  // pipedrive.readme.io/docs/core-api-concepts-authentication: a user's personal API token.
  keys: { api_key: { header: 'x-api-token' } },
  callbackParameters: [],
  tokenExtras: ['api_domain'],
  missingExpiry: 3600,
  longestExpiry: 24 * 3600,
  // A refresh token that is not used for 60 days ends; each use sets it back.
  grantLimits: { idleMs: 60 * 24 * 3_600_000 },
  hosts: { api_domain: ['*.pipedrive.com'] },
  identityUrlFor: (extras, identityUrl) =>
    extras['api_domain'] === undefined
      ? identityUrl
      : new URL(new URL(identityUrl).pathname, extras['api_domain']).href,
  readIdentity: body => {
    const user = userSchema.safeParse(body);
    if (!user.success) return null;
    const { id, company_id, company_name } = user.data.data;
    return {
      entityExternalId: company_id,
      credentialExternalId: combineIds(company_id, id),
      accountName: company_name,
    };
  },
};
