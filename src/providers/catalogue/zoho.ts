import { z } from 'zod';
import type { ProviderId } from '../../domain/ids.js';
import type { ProviderDefinition } from '../definition.js';
import { accountNameSchema, externalIdSchema } from './external-id.js';

const organizationSchema = z.object({
  org: z.array(z.object({ id: externalIdSchema, company_name: accountNameSchema })).min(1),
});

const codeSchema = z.object({ code: z.string() });

function readCode(body: unknown): string | null {
  const answer = codeSchema.safeParse(body);
  return answer.success ? answer.data.code : null;
}

/**
 * Zoho CRM. Every region has its own accounts server, named in the callback, and its own API host, named in the token
 * answer. Errors may come with status 200.
 * Sources: zoho.com/accounts/protocol/oauth/multi-dc.html, zoho.com/crm/developer/docs/api/v8/get-org-data.html
 */
export const zoho: ProviderDefinition = {
  id: 'zoho' as ProviderId,
  name: 'Zoho CRM',
  // Sends users on to their own region, except those of the Chinese one.
  authorizationUrl: 'https://accounts.zoho.com/oauth/v2/auth',
  tokenUrl: 'https://accounts.zoho.com/oauth/v2/token',
  identityUrl: 'https://www.zohoapis.com/crm/v8/org',
  // zoho.com/accounts/protocol/oauth/web-apps/revoke-tokens.html
  revocationUrl: 'https://accounts.zoho.com/oauth/v2/token/revoke',
  revocationForm: 'query',
  issuer: null,
  clientAuthentication: 'client_secret_post',
  pkce: true,
  // The identity call needs ZohoCRM.org.READ.
  scope: { separator: ',', values: ['ZohoCRM.org.READ', 'ZohoCRM.modules.ALL'] },
  // Without both there is no refresh token, or none at the second consent.
  authorizationParameters: { access_type: 'offline', prompt: 'consent' },
  authorizationScheme: 'Zoho-oauthtoken',
  callbackParameters: ['accounts-server'],
  tokenExtras: ['api_domain'],
  missingExpiry: 3600,
  longestExpiry: 24 * 3600,
  // Older answers give `expires_in` in milliseconds, beside `expires_in_sec`.
  expiryFields: ['expires_in_sec', 'expires_in'],
  hosts: {
    'accounts-server': [
      'accounts.zoho.com',
      'accounts.zoho.eu',
      'accounts.zoho.in',
      'accounts.zoho.com.au',
      'accounts.zoho.jp',
      'accounts.zohocloud.ca',
      'accounts.zoho.sa',
      'accounts.zoho.uk',
      'accounts.zoho.com.cn',
    ],
    // The one label is the environment: `www`, `sandbox` or `developer`.
    api_domain: [
      '*.zohoapis.com',
      '*.zohoapis.eu',
      '*.zohoapis.in',
      '*.zohoapis.com.au',
      '*.zohoapis.jp',
      '*.zohoapis.ca',
      '*.zohoapis.sa',
      '*.zohoapis.uk',
      '*.zohoapis.com.cn',
    ],
  },
  tokenUrlFor: (callback, tokenUrl) =>
    callback['accounts-server'] === undefined
      ? tokenUrl
      : new URL(new URL(tokenUrl).pathname, callback['accounts-server']).href,
  revocationUrlFor: (extras, revocationUrl) =>
    extras['accounts-server'] === undefined
      ? revocationUrl
      : new URL(new URL(revocationUrl).pathname, extras['accounts-server']).href,
  identityUrlFor: (extras, identityUrl) =>
    extras['api_domain'] === undefined
      ? identityUrl
      : new URL(new URL(identityUrl).pathname, extras['api_domain']).href,
  // 401 also stands for a missing scope, which says nothing against the token. INVALID_TOKEN may come inside a 200.
  isRefusal: (httpStatus, body) => {
    const code = readCode(body);
    if (httpStatus === 401) return code !== 'OAUTH_SCOPE_MISMATCH';
    return httpStatus === 200 && code === 'INVALID_TOKEN';
  },
  readIdentity: body => {
    const organization = organizationSchema.safeParse(body).data?.org[0];
    if (organization === undefined) return null;
    return {
      entityExternalId: organization.id,
      credentialExternalId: organization.id,
      accountName: organization.company_name,
    };
  },
};
