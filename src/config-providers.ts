import { z } from 'zod';
import { type Environment, flag, listWhenSet, secretList } from './config-fields.js';
import { listProblems, tellIssue } from './config-problems.js';
import { Secret } from './vault/secret.js';

const providerSettingsSchema = z.object({
  CLIENT_ID: z.string().min(1),
  CLIENT_SECRET: z
    .string()
    .min(1)
    .transform(value => new Secret(value)),
  AUTHORIZATION_URL: z.url().optional(),
  TOKEN_URL: z.url().optional(),
  IDENTITY_URL: z.url().optional(),
  REVOCATION_URL: z.url().optional(),
  API_URL: z.url().optional(),
  ISSUER: z.string().optional(),
  SCOPES: listWhenSet,
  HOSTS: listWhenSet,
  ALLOW_INSECURE: flag,
  WEBHOOK_SECRETS: secretList,
});

export type ProviderEnvironment = ReturnType<typeof nameSettings>;

function nameSettings(values: z.output<typeof providerSettingsSchema>) {
  return {
    clientId: values.CLIENT_ID,
    clientSecret: values.CLIENT_SECRET,
    authorizationUrl: values.AUTHORIZATION_URL,
    tokenUrl: values.TOKEN_URL,
    identityUrl: values.IDENTITY_URL,
    revocationUrl: values.REVOCATION_URL,
    apiUrl: values.API_URL,
    issuer: values.ISSUER,
    scopes: values.SCOPES,
    hosts: values.HOSTS,
    allowInsecure: values.ALLOW_INSECURE,
    webhookSecrets: values.WEBHOOK_SECRETS,
  };
}

/** `RELINK_PROVIDER_<NAME>_<SETTING>`, grouped by provider: `RELINK_PROVIDER_ATTIO_CLIENT_ID` and so on. */
export function readProviders(environment: Environment, problems: string[]): Record<string, ProviderEnvironment> {
  const grouped = new Map<string, Record<string, string>>();
  const settings = Object.keys(providerSettingsSchema.shape).join('|');
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('RELINK_PROVIDER_') || value === undefined || value === '') continue;
    const match = new RegExp(`^RELINK_PROVIDER_([A-Z0-9]+)_(${settings})$`).exec(name);
    if (match === null) {
      problems.push(`${name} is not a provider setting`);
      continue;
    }
    const [, provider = '', setting = ''] = match;
    grouped.set(provider, { ...grouped.get(provider), [setting]: value });
  }
  const providers: Record<string, ProviderEnvironment> = {};
  for (const [provider, values] of grouped) {
    const parsed = providerSettingsSchema.safeParse(values, { error: tellIssue });
    if (parsed.success) providers[provider.toLowerCase()] = nameSettings(parsed.data);
    else problems.push(...listProblems(parsed.error.issues, `RELINK_PROVIDER_${provider}_`));
  }
  return providers;
}
