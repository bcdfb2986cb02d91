import { z } from 'zod';
import type { ProviderId } from '../../domain/ids.js';
import type { ProviderDefinition } from '../definition.js';
import { accountNameSchema, externalIdSchema } from './external-id.js';

const selfSchema = z.object({
  active: z.literal(true).optional(),
  workspace_id: externalIdSchema,
  workspace_name: accountNameSchema,
});

/**
 * Attio. A token belongs to a workspace, does not expire, and there is never a refresh token.
 * Sources: docs.attio.com/docs/oauth/token, docs.attio.com/rest-api/endpoint-reference/meta/identify
 */
export const attio: ProviderDefinition = {
  id: 'attio' as ProviderId,
  name: 'Attio',
  authorizationUrl: 'https://app.attio.com/authorize',
  tokenUrl: 'https://app.attio.com/oauth/token',
  identityUrl: 'https://api.attio.com/v2/self',
  // docs.attio.com/docs/oauth/revoke
  revocationUrl: 'https://app.attio.com/oauth/revoke',
  issuer: null,
  clientAuthentication: 'client_secret_post',
  pkce: true,
  // Scopes are chosen in the app's settings at Attio.
  scope: null,
  authorizationParameters: {},
  authorizationScheme: 'Bearer',
  // docs.attio.com/rest-api/guides/authentication: a workspace's own API key is sent like an access token.
  keys: { api_key: { scheme: 'Bearer' } },
  callbackParameters: [],
  tokenExtras: [],
  missingExpiry: null,
  hosts: {},
  // The identify endpoint answers like an introspection: 200 {"active": false} for a token that was revoked.
  isRefusal: (httpStatus, body) =>
    httpStatus === 401 || (httpStatus === 200 && z.object({ active: z.literal(false) }).safeParse(body).success),
  readIdentity: body => {
    const self = selfSchema.safeParse(body);
    if (!self.success) return null;
    return {
      entityExternalId: self.data.workspace_id,
      credentialExternalId: self.data.workspace_id,
      accountName: self.data.workspace_name,
    };
  },
};
