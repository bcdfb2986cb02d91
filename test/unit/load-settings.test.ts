import { randomBytes } from 'node:crypto';
import { ConfigError } from '../../src/errors.js';
import { loadSettings } from '../../src/load-settings.js';

const key = randomBytes(32).toString('base64');
const good = {
  DATABASE_URL: 'postgresql://user:password-of-the-database@127.0.0.1:5432/relink',
  RELINK_KEYS: `k1:${key}`,
  RELINK_API_KEYS: 'first-api-key-of-the-tests-here',
  RELINK_PUBLIC_URL: 'https://connect.example.com',
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('good settings come back, with where Temporal is', () => {
  const { config, temporal } = loadSettings({ ...good, TEMPORAL_ADDRESS: '127.0.0.1:7000' });
  expect(config.publicUrl.href).toBe('https://connect.example.com/');
  expect(temporal.connectionOptions.address).toBe('127.0.0.1:7000');
});

test('every problem of every part is told at once, one line each, without a value', () => {
  const problems = problemsOf({
    RELINK_PORT: 'hidden-port',
    RELINK_KEYS: 'k1:hidden-key',
    RELINK_RETURN_URLS: 'https://app.example.com,ftp://hidden-host',
    RELINK_INTEGRATIONS: './no-such-module.cjs',
    RELINK_PROVIDER_ATTIO_CLIENT_ID: 'id',
    RELINK_PROVIDER_ATTIO_CLIENT_SECRET: 'secret',
    RELINK_PROVIDER_ATTIO_TOKEN_URL: 'http://hidden-host/token',
    RELINK_PROVIDER_NOBODY_CLIENT_ID: 'id',
    RELINK_PROVIDER_NOBODY_CLIENT_SECRET: 'secret',
    TEMPORAL_CONFIG_FILE: '/no/such/file.toml',
    TEMPORAL_PROFILE: 'nobody',
  });
  const told = problems.map(problem => /^[A-Z_*]+/.exec(problem)?.[0]).sort();
  expect(told).toEqual([
    'DATABASE_URL',
    'RELINK_API_KEYS',
    'RELINK_INTEGRATIONS',
    'RELINK_KEYS',
    'RELINK_PORT',
    'RELINK_PROVIDER_ATTIO_TOKEN_URL',
    'RELINK_PROVIDER_NOBODY_*',
    'RELINK_PUBLIC_URL',
    'RELINK_RETURN_URLS',
    'TEMPORAL_*',
  ]);
  expect(problems.join('')).not.toMatch(/hidden|\n/);
});

test('what is missing is told once', () => {
  expect(problemsOf({})).toHaveLength(4);
});
