import { z } from 'zod';
import type { ProviderId } from '../../domain/ids.js';
import { unconfiguredHost, type ProviderDefinition } from '../definition.js';
import { accountNameSchema, combineIds, externalIdSchema } from './external-id.js';

const identitySchema = z.object({
  account_id: externalIdSchema,
  account_name: accountNameSchema,
  user_id: externalIdSchema,
});

/**
 * The sandbox provider that comes along in development and in the tests (src/embedded/sandbox). It has no address of
 * its own: configuration names its endpoints and its issuer.
 */
export const sandbox: ProviderDefinition = {
  id: 'sandbox' as ProviderId,
  name: 'Sandbox',
  authorizationUrl: `https://${unconfiguredHost}/authorize`,
  tokenUrl: `https://${unconfiguredHost}/token`,
  identityUrl: `https://${unconfiguredHost}/identity`,
  issuer: `https://${unconfiguredHost}`,
  clientAuthentication: 'client_secret_basic',
  pkce: true,
  scope: { separator: ' ', values: ['accounts:read', 'offline_access'] },
  // OpenID Connect Core, section 11: offline access is granted only on a prompt for consent.
  authorizationParameters: { prompt: 'consent' },
  authorizationScheme: 'Bearer',
  keys: { api_key: { header: 'X-API-Key' }, basic: true, client_credentials: { scope: 'accounts:read' } },
  callbackParameters: [],
  tokenExtras: [],
  missingExpiry: null,
  hosts: {},
  readIdentity: body => {
    const identity = identitySchema.safeParse(body);
    if (!identity.success) return null;
    const { account_id, account_name, user_id } = identity.data;
    return {
      entityExternalId: account_id,
      credentialExternalId: combineIds(account_id, user_id),
      accountName: account_name,
    };
  },
};
