import { ConfigError } from '../../../src/errors.js';
import { RelinkError } from '../../../src/errors.js';
import { loadProviders } from '../../../src/providers/load-providers.js';
import type { ProviderSettings } from '../../../src/providers/configure-provider.js';
import { Secret } from '../../../src/vault/secret.js';

const client = { clientId: 'client', clientSecret: new Secret('hunter2') };
const load = (id: string, settings: Partial<ProviderSettings> = {}) =>
  loadProviders({ [id]: { ...client, ...settings } }).get(id);

function problemsOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof RelinkError) return error.code;
    throw error;
  }
  return undefined;
}

describe('the catalogue', () => {
  test('knows configured, unconfigured and unknown providers apart', () => {
    const providers = loadProviders({ attio: client });
    expect(providers.get('attio').name).toBe('Attio');
    expect(providers.list().map(provider => provider.id)).toEqual(['attio']);
    expect(codeOf(() => providers.get('zoho'))).toBe('provider_not_configured');
    expect(() => providers.get('zoho')).toThrow(
      'RELINK_PROVIDER_ZOHO_CLIENT_ID and RELINK_PROVIDER_ZOHO_CLIENT_SECRET',
    );
    for (const id of ['nope', '', '__proto__', 'constructor', 'ATTIO'])
      expect(codeOf(() => providers.get(id))).toBe('provider_unknown');
  });

  test('reports every problem of every provider at once, without a value', () => {
    const problems = problemsOf(() =>
      loadProviders({
        nope: client,
        attio: { ...client, tokenUrl: 'http://user:hunter2@evil.test/token', scopes: ['a'] },
        zoho: { clientId: '', clientSecret: new Secret('') },
      }),
    );
    expect(problems).toHaveLength(5);
    for (const problem of problems) expect(problem).toMatch(/^RELINK_PROVIDER_(NOPE_\*|ATTIO_[A-Z_]+|ZOHO_[A-Z_]+) /);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('the sandbox is usable only once all its addresses are set', () => {
    expect(problemsOf(() => load('sandbox'))).toHaveLength(4);
    const origin = 'http://127.0.0.1:4000';
    const settings = {
      authorizationUrl: `${origin}/authorize`,
      tokenUrl: `${origin}/token`,
      identityUrl: `${origin}/identity`,
      allowInsecure: true,
    };
    expect(problemsOf(() => load('sandbox', settings))).toEqual(['RELINK_PROVIDER_SANDBOX_ISSUER must be set']);
    expect(load('sandbox', { ...settings, issuer: origin })).toMatchObject({ ...settings, issuer: origin });
  });
});

describe('an endpoint', () => {
  const tokenUrl = (value: string, allowInsecure: boolean) =>
    problemsOf(() => load('attio', { tokenUrl: value, allowInsecure }));

  test.each(['https://proxy.test/token', 'https://127.0.0.1:3000/token'])('may be %s', value => {
    expect(tokenUrl(value, false)).toEqual([]);
  });

  test.each(['http://127.0.0.1:3000/t', 'http://127.9.9.9/t', 'http://localhost:3000/t', 'http://[::1]:3000/t'])(
    'may be %s only where insecure is allowed',
    value => {
      expect(tokenUrl(value, true)).toEqual([]);
      expect(tokenUrl(value, false)).toHaveLength(1);
    },
  );

  test.each([
    'http://example.test/t',
    'http://10.0.0.1/t',
    'http://127.0.0.1.evil.test/t',
    'http://localhost.evil.test/t',
    'ftp://127.0.0.1/t',
    'https://user@proxy.test/t',
    'https://user:password@proxy.test/t',
    'https://proxy.test/t#fragment',
    '/token',
    '',
  ])('is never %j', value => {
    expect(tokenUrl(value, true)).toHaveLength(1);
  });
});

describe('settings', () => {
  test('replace scopes, and add hosts to every field', () => {
    const zoho = load('zoho', { scopes: ['ZohoCRM.org.READ'], hosts: ['127.0.0.1:3000'] });
    expect(zoho.scope?.values).toEqual(['ZohoCRM.org.READ']);
    expect(zoho.hosts['accounts-server']).toEqual(expect.arrayContaining(['accounts.zoho.eu', '127.0.0.1:3000']));
    expect(zoho.hosts['api_domain']).toEqual(expect.arrayContaining(['*.zohoapis.eu', '127.0.0.1:3000']));
  });

  test('leave the definitions as they are', () => {
    load('zoho', { hosts: ['changed.test'], scopes: ['changed'], tokenUrl: 'https://changed.test' });
    expect(JSON.stringify(load('zoho'))).not.toContain('changed');
  });

  test('refuse host patterns that mean too much', () => {
    for (const pattern of ['*', '*.com', 'https://a.test'])
      expect(problemsOf(() => load('zoho', { hosts: [pattern] }))).toHaveLength(1);
  });
});
