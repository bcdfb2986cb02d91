import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadConfig, type Environment } from '../../src/config.js';
import { ConfigError } from '../../src/errors.js';

const secrets = {
  DATABASE_URL: 'postgresql://user:password-of-the-database@127.0.0.1:5432/relink',
  RELINK_KEYS: 'k1:key-material-of-the-vault',
  RELINK_API_KEYS: 'first-api-key-of-the-tests, second-api-key-of-the-tests',
};
const required = { ...secrets, RELINK_PUBLIC_URL: 'https://connect.example.com' };

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('the required settings are enough, and the rest has its defaults', () => {
  expect(loadConfig(required)).toMatchObject({
    databasePool: 10,
    host: '127.0.0.1',
    port: 3000,
    productName: 'Relink',
    returnUrls: [],
    redirectUris: [],
    callbackDeadlineMs: 10_000,
    exchangeTimeoutMs: 10_000,
    testGraceMs: [1000, 3000, 10_000],
    sweepIntervalMs: 30_000,
    sweepAfterMs: 30_000,
    sessionRetentionMs: 7 * 24 * 3600 * 1000,
    taskQueue: 'relink',
    workflowBundle: undefined,
    integrations: undefined,
    logLevel: 'info',
    providers: {},
  });
});

test('every missing setting is named at once', () => {
  const problems = problemsOf({}).join('\n');
  for (const name of Object.keys(required)) expect(problems).toContain(`${name} is required`);
});

test.each([
  'mongodb://127.0.0.1:27017/relink',
  'mongodb+srv://user:p%40ss@cluster.example.com/relink?retryWrites=true',
  'mongodb://user:pass@one:27017,two:27017,three/relink?replicaSet=rs0&tls=true',
  'mongodb://user:pass@host/relink?tlsCAFile=/etc/ca.pem&relinkProfile=documentdb',
])('DATABASE_URL may be %s', databaseUrl => {
  expect(loadConfig({ ...required, DATABASE_URL: databaseUrl }).databaseUrl.reveal()).toBe(databaseUrl);
});

test('a webhook may be as large as a document of the database can be', () => {
  const mongo = { ...required, DATABASE_URL: 'mongodb://127.0.0.1:27017/relink' };
  const told = 'RELINK_WEBHOOK_BODY_LIMIT must be at most 12000000 on MongoDB and DocumentDB';
  expect(problemsOf({ ...mongo, RELINK_WEBHOOK_BODY_LIMIT: '12000001' })).toEqual([told]);
  expect(problemsOf({ ...mongo, RELINK_WEBHOOK_BODY_LIMIT: '12000000' })).toEqual([]);
  expect(problemsOf({ ...required, RELINK_WEBHOOK_BODY_LIMIT: '16777216' })).toEqual([]);
});

test('an empty variable is an unset one', () => {
  expect(problemsOf({ ...required, RELINK_PUBLIC_URL: '' })).toHaveLength(1);
  expect(loadConfig({ ...required, RELINK_PORT: '' }).port).toBe(3000);
});

test.each([
  ['DATABASE_URL', 'mysql://user:password-of-the-database@host/db'],
  ['DATABASE_URL', 'not-a-url-with-password-of-the-database'],
  ['DATABASE_URL', 'postgresql://user:password#of-the-database@host/db'],
  ['DATABASE_URL', 'mongodb://user:password/of-the-database@host/db'],
  ['DATABASE_URL', 'mongodb://user:password-of-the-database@host:27017'],
  ['DATABASE_URL', 'mongodb://user:password-of-the-database@host:27017/?tls=true'],
  ['DATABASE_URL', 'mongodb://user:password-of-the-database@one:27017,:27018/db'],
  ['DATABASE_URL', 'mongodb://user:password-of-the-database@host/db?relinkProfile=cosmos'],
  ['RELINK_API_KEYS', 'short-key'],
  ['RELINK_API_KEYS', ' , '],
  ['RELINK_PUBLIC_URL', 'relink.internal'],
  ['RELINK_PUBLIC_URL', 'http://connect.example.com'],
  ['RELINK_EXCHANGE_TIMEOUT', '31'],
  ['RELINK_PORT', '65536'],
  ['RELINK_PORT', 'http'],
  ['RELINK_DATABASE_POOL', '0'],
  ['RELINK_CALLBACK_DEADLINE', '-1'],
  ['RELINK_EXCHANGE_TIMEOUT', 'ten'],
  ['RELINK_TEST_GRACE_MS', '1000,soon'],
  ['RELINK_LOG_LEVEL', 'loud'],
  ['RELINK_PROVIDER_ATTIO_TOKEN_URL', 'not a url'],
  ['RELINK_PROVIDER_ATTIO_CLIENT_SECERT', 'a-secret-in-a-mistyped-variable'],
])('%s=%s is refused by name, without its value', (name, value) => {
  const provider = { RELINK_PROVIDER_ATTIO_CLIENT_ID: 'id', RELINK_PROVIDER_ATTIO_CLIENT_SECRET: 'secret' };
  const problems = problemsOf({ ...required, ...provider, [name]: value });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
  if (value.trim().length > 5) expect(problems[0]).not.toContain(value);
});

test.each([
  ['RELINK_PORT', 'http', 'must be a number'],
  ['RELINK_PORT', '1.5', 'must be a whole number'],
  ['RELINK_PORT', '65536', 'must be at most 65535'],
  ['RELINK_DATABASE_POOL', '0', 'must be at least 1'],
  ['RELINK_SWEEP_INTERVAL', '0', 'must be more than 0'],
  ['RELINK_LOG_LEVEL', 'loud', 'must be one of fatal, error, warn, info, debug, trace, silent'],
  ['RELINK_PRODUCT_NAME', 'x'.repeat(81), 'must be at most 80 characters long'],
  ['RELINK_FORWARD_SECRETS', 'abc', 'must be whsec_ and the base64 of 24 to 64 bytes, comma-separated'],
  ['RELINK_PROVIDER_ATTIO_TOKEN_URL', 'nowhere', 'must be a URL such as https://example.com'],
  ['RELINK_PROVIDER_ATTIO_ALLOW_INSECURE', 'yes', 'must be true or false'],
])('%s=%s %s', (name, value, told) => {
  const provider = { RELINK_PROVIDER_ATTIO_CLIENT_ID: 'id', RELINK_PROVIDER_ATTIO_CLIENT_SECRET: 'secret' };
  expect(problemsOf({ ...required, ...provider, [name]: value })).toEqual([`${name} ${told}`]);
});

test('a faulty entry of a list is named by its position', () => {
  expect(problemsOf({ ...required, RELINK_TEST_GRACE_MS: '1000,soon' })).toEqual([
    'RELINK_TEST_GRACE_MS, entry 2, must be a number',
  ]);
});

test('secrets print as redacted', () => {
  const config = loadConfig({
    ...required,
    RELINK_PROVIDER_ATTIO_CLIENT_ID: 'the-client',
    RELINK_PROVIDER_ATTIO_CLIENT_SECRET: 'secret-of-the-client',
  });
  const printed = inspect(config, { depth: 10, showHidden: true }) + JSON.stringify(config);
  for (const secret of [...Object.values(secrets).flatMap(value => value.split(', ')), 'secret-of-the-client']) {
    expect(printed).not.toContain(secret);
  }
  expect(config.apiKeys.map(key => key.secret.reveal())).toEqual(secrets.RELINK_API_KEYS.split(', '));
  expect(config.providers['attio']?.clientSecret.reveal()).toBe('secret-of-the-client');
});

describe('API keys', () => {
  const keysOf = (value: string) => loadConfig({ ...required, RELINK_API_KEYS: value }).apiKeys;

  test('have no scope and a name that does not give them away, unless it is said', () => {
    const [plain, named] = keysOf('first-api-key-of-the-tests-here,second-api-key-of-the-tests name=crm  tokens:read');
    expect(plain).toMatchObject({ name: expect.stringMatching(/^key-[0-9a-f]{8}$/) as string, scopes: [] });
    expect(named).toMatchObject({ name: 'crm', scopes: ['tokens:read'] });
    expect(named?.secret.reveal()).toBe('second-api-key-of-the-tests');
  });

  test.each([
    ['first-api-key-of-the-tests-here name=a,first-api-key-of-the-tests-here tokens:read', 'repeats the key'],
    ['first-api-key-of-the-tests-here name=a,second-api-key-of-the-tests name=a', 'repeats the name'],
  ])('%s is refused: it %s', (value, told) => {
    expect(problemsOf({ ...required, RELINK_API_KEYS: value })).toEqual([
      `RELINK_API_KEYS, entry 2, ${told} of an earlier entry`,
    ]);
  });

  test.each(['tokens:write', 'name=', 'name=a:b', 'tokens:read=true'])('may not be followed by %s', attribute => {
    expect(() => keysOf(`first-api-key-of-the-tests-here ${attribute}`)).toThrow(/RELINK_API_KEYS, entry 1, may be/);
  });
});

test.each(['127.0.0.1:9464', '0.0.0.0:1', '[::1]:65535'])('the metrics of a worker may be at %s', address => {
  expect(loadConfig({ ...required, RELINK_WORKER_METRICS_ADDRESS: address }).workerMetricsAddress).toBe(address);
});

test.each(['9464', 'localhost:9464', ':9464', '127.0.0.1:0', '127.0.0.1:65536', '::1:9464', '[127.0.0.1]:9464'])(
  'the metrics of a worker may not be at %s',
  address => {
    expect(problemsOf({ ...required, RELINK_WORKER_METRICS_ADDRESS: address })).toEqual([
      'RELINK_WORKER_METRICS_ADDRESS must be an IP address and a port, such as 127.0.0.1:9464',
    ]);
  },
);

describe('providers', () => {
  test('settings are grouped by provider; what is not set leaves the definition alone', () => {
    const { providers } = loadConfig({
      ...required,
      RELINK_PROVIDER_ATTIO_CLIENT_ID: 'attio-client',
      RELINK_PROVIDER_ATTIO_CLIENT_SECRET: 's1',
      RELINK_PROVIDER_ZOHO_CLIENT_ID: 'zoho-client',
      RELINK_PROVIDER_ZOHO_CLIENT_SECRET: 's2',
      RELINK_PROVIDER_ZOHO_SCOPES: 'a.READ, b.READ',
      RELINK_PROVIDER_ZOHO_HOSTS: 'accounts.example.com',
      RELINK_PROVIDER_ZOHO_ALLOW_INSECURE: 'true',
    });
    expect(Object.keys(providers)).toEqual(['attio', 'zoho']);
    expect(providers['attio']).toMatchObject({
      clientId: 'attio-client',
      scopes: undefined,
      hosts: undefined,
      tokenUrl: undefined,
      allowInsecure: false,
    });
    expect(providers['zoho']).toMatchObject({
      clientId: 'zoho-client',
      scopes: ['a.READ', 'b.READ'],
      hosts: ['accounts.example.com'],
      allowInsecure: true,
    });
  });

  test('a half-configured provider is named with what it lacks', () => {
    expect(problemsOf({ ...required, RELINK_PROVIDER_ATTIO_CLIENT_ID: 'x' })).toEqual([
      'RELINK_PROVIDER_ATTIO_CLIENT_SECRET is required',
    ]);
  });
});

test('the table in README.md names the settings that are read, and no other', () => {
  const read = (...path: string[]) => readFileSync(join(__dirname, '..', '..', ...path), 'utf8');
  const schema = /environmentSchema = z\.object\(\{\n(.*?)\n\}\);/s.exec(read('src', 'config.ts'))?.[1] ?? '';
  const names = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(match => match[1]);
  expect(names.length).toBeGreaterThan(15);
  const rows = [...read('README.md').matchAll(/^\| `((?:RELINK|DATABASE)_[A-Z_]+)`/gm)].map(match => match[1]);
  expect(rows.sort()).toEqual(names.sort());
});
