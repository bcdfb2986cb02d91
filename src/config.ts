import { z } from 'zod';
import { findDatabaseUrlProblem } from './config-database-url.js';
import { apiKeyEntry, refuseRepeatedKeys } from './config-api-keys.js';
import {
  type Environment,
  flag,
  list,
  logLevel,
  metricsAddress,
  milliseconds,
  seconds,
  signingSecrets,
} from './config-fields.js';
import { listProblems, tellIssue } from './config-problems.js';
import { readProviders } from './config-providers.js';
import { ConfigError } from './errors.js';
import { storeKindOf } from './store/open-store.js';
import { Secret } from './vault/secret.js';

const isSafeAddress = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || (protocol === 'http:' && /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname));

/**
 * The largest body whose delivery is still one document: MongoDB holds 16 MiB in one, and sealed, content is a third
 * larger.
 */
const largestBodyOnMongo = 12_000_000;

/**
 * What server and worker read from the environment; what is only for development is in src/config-dev.ts. The table in
 * README.md lists the same names; a test compares the two. Every problem is reported at once, by the variable's name and
 * never with its value.
 */
const environmentSchema = z.object({
  DATABASE_URL: z
    .string({ error: 'is required: postgresql://user:password@host:5432/database' })
    .superRefine((value, context) => {
      const message = findDatabaseUrlProblem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .transform(value => new Secret(value)),
  RELINK_DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(10),
  RELINK_KEYS: z
    .string({ error: 'is required: <name>:<base64 of 32 random bytes>, newest first, comma-separated' })
    .transform(value => new Secret(value)),
  RELINK_API_KEYS: list
    .refine(keys => keys.length > 0, 'is required: at least one API key, comma-separated')
    .pipe(z.array(apiKeyEntry).superRefine(refuseRepeatedKeys)),
  RELINK_PUBLIC_URL: z
    .url({
      error: issue =>
        issue.input === undefined
          ? 'is required: the address that browsers and providers reach, such as https://connect.example.com'
          : 'must be a URL such as https://connect.example.com',
    })
    .transform(value => new URL(value))
    .refine(
      isSafeAddress,
      'must be https; plain http is only for loopback, because cookies and codes would be readable',
    ),
  RELINK_HOST: z.string().default('127.0.0.1'),
  RELINK_PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  RELINK_PRODUCT_NAME: z.string().min(1).max(80).default('Relink'),
  RELINK_RETURN_URLS: list,
  RELINK_REDIRECT_URIS: list,
  RELINK_CALLBACK_DEADLINE: seconds(10),
  // Well below the minute after which an exchange counts as abandoned.
  RELINK_EXCHANGE_TIMEOUT: z.coerce.number().positive().max(30).default(10),
  RELINK_CONNECT_WITHIN: seconds(86_400),
  RELINK_REFRESH_TIMEOUT: z.coerce.number().positive().max(60).default(15),
  RELINK_REFRESH_GIVE_UP: seconds(3_600),
  RELINK_TEST_GRACE_MS: milliseconds.prefault('1000,3000,10000'),
  RELINK_SWEEP_INTERVAL: seconds(30),
  RELINK_SWEEP_AFTER: seconds(30),
  RELINK_SESSION_RETENTION_DAYS: z.coerce.number().positive().max(3650).default(7),
  RELINK_HELD_DAYS: z.coerce.number().positive().max(365).default(7),
  RELINK_HELD_LIMIT: z.coerce.number().int().min(1).max(1_000_000).default(10_000),
  RELINK_TOKEN_READ_RETENTION_DAYS: z.coerce.number().positive().max(3650).default(90),
  RELINK_DELIVERY_RETENTION_DAYS: z.coerce.number().positive().max(3650).default(14),
  RELINK_DELIVERY_CONCURRENCY: z.coerce.number().int().min(1).max(1000).default(100),
  RELINK_WEBHOOK_BODY_LIMIT: z.coerce.number().int().min(1024).max(16_777_216).default(1_048_576),
  RELINK_HANDLER_THREADS: z.coerce.number().int().min(1).max(64).default(2),
  RELINK_HANDLER_MEMORY_MB: z.coerce.number().int().min(16).max(4096).default(128),
  RELINK_FORWARD_SECRETS: signingSecrets,
  RELINK_FORWARD_ALLOW_LOOPBACK: flag,
  RELINK_TASK_QUEUE: z.string().min(1).default('relink'),
  RELINK_WORKFLOW_BUNDLE: z.string().optional(),
  RELINK_INTEGRATIONS: z.string().optional(),
  RELINK_WORKER_METRICS_ADDRESS: metricsAddress.optional(),
  RELINK_LOG_LEVEL: logLevel.default('info'),
});

/** The names of server and worker, without those of the providers. */
export const settingNames: readonly string[] = Object.keys(environmentSchema.shape);

export type { ApiKey, ApiKeyScope } from './config-api-keys.js';
export type { Environment } from './config-fields.js';
export type { ProviderEnvironment } from './config-providers.js';
export type Config = ReturnType<typeof loadConfig>;

/** Set but empty means unset. */
export function dropEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

/** Reads `DATABASE_URL` alone, for commands that need nothing else. Throws ConfigError. */
export function loadDatabaseUrl(environment: Environment): Secret {
  const parsed = environmentSchema.pick({ DATABASE_URL: true }).safeParse(dropEmpty(environment), { error: tellIssue });
  if (parsed.success) return parsed.data.DATABASE_URL;
  throw new ConfigError(listProblems(parsed.error.issues));
}

/** The settings that other parts read further, each for itself: undefined where it is missing or wrong. */
export function peekSettings(environment: Environment) {
  const values = dropEmpty(environment);
  const { RELINK_KEYS, RELINK_RETURN_URLS, RELINK_INTEGRATIONS } = environmentSchema.shape;
  return {
    keys: RELINK_KEYS.safeParse(values['RELINK_KEYS']).data,
    returnUrls: RELINK_RETURN_URLS.safeParse(values['RELINK_RETURN_URLS']).data,
    integrations: RELINK_INTEGRATIONS.safeParse(values['RELINK_INTEGRATIONS']).data,
    providers: readProviders(environment, []),
  };
}

function isTooLargeForMongo(values: z.output<typeof environmentSchema>): boolean {
  const isMongo = storeKindOf(values.DATABASE_URL.reveal()) === 'mongo';
  return isMongo && values.RELINK_WEBHOOK_BODY_LIMIT > largestBodyOnMongo;
}

/** Reads the settings of server and worker. Throws ConfigError. */
export function loadConfig(environment: Environment) {
  const problems: string[] = [];
  const parsed = environmentSchema.safeParse(dropEmpty(environment), { error: tellIssue });
  if (!parsed.success) problems.push(...listProblems(parsed.error.issues));
  const providers = readProviders(environment, problems);
  if (parsed.success && isTooLargeForMongo(parsed.data)) {
    problems.push(`RELINK_WEBHOOK_BODY_LIMIT must be at most ${largestBodyOnMongo} on MongoDB and DocumentDB`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const value = parsed.data;
  return {
    databaseUrl: value.DATABASE_URL,
    databasePool: value.RELINK_DATABASE_POOL,
    keys: value.RELINK_KEYS,
    apiKeys: value.RELINK_API_KEYS,
    publicUrl: value.RELINK_PUBLIC_URL,
    host: value.RELINK_HOST,
    port: value.RELINK_PORT,
    productName: value.RELINK_PRODUCT_NAME,
    returnUrls: value.RELINK_RETURN_URLS,
    redirectUris: value.RELINK_REDIRECT_URIS,
    callbackDeadlineMs: value.RELINK_CALLBACK_DEADLINE * 1000,
    exchangeTimeoutMs: value.RELINK_EXCHANGE_TIMEOUT * 1000,
    connectWithinMs: value.RELINK_CONNECT_WITHIN * 1000,
    refreshTimeoutMs: value.RELINK_REFRESH_TIMEOUT * 1000,
    refreshGiveUpAfterMs: value.RELINK_REFRESH_GIVE_UP * 1000,
    testGraceMs: value.RELINK_TEST_GRACE_MS,
    sweepIntervalMs: value.RELINK_SWEEP_INTERVAL * 1000,
    sweepAfterMs: value.RELINK_SWEEP_AFTER * 1000,
    sessionRetentionMs: value.RELINK_SESSION_RETENTION_DAYS * 86_400_000,
    heldForMs: value.RELINK_HELD_DAYS * 86_400_000,
    heldLimit: value.RELINK_HELD_LIMIT,
    tokenReadRetentionMs: value.RELINK_TOKEN_READ_RETENTION_DAYS * 86_400_000,
    deliveryRetentionMs: value.RELINK_DELIVERY_RETENTION_DAYS * 86_400_000,
    deliveryConcurrency: value.RELINK_DELIVERY_CONCURRENCY,
    webhookBodyLimit: value.RELINK_WEBHOOK_BODY_LIMIT,
    handlerThreads: value.RELINK_HANDLER_THREADS,
    handlerMemoryMb: value.RELINK_HANDLER_MEMORY_MB,
    forwardSecrets: value.RELINK_FORWARD_SECRETS,
    forwardAllowLoopback: value.RELINK_FORWARD_ALLOW_LOOPBACK,
    taskQueue: value.RELINK_TASK_QUEUE,
    workflowBundle: value.RELINK_WORKFLOW_BUNDLE,
    integrations: value.RELINK_INTEGRATIONS,
    workerMetricsAddress: value.RELINK_WORKER_METRICS_ADDRESS,
    logLevel: value.RELINK_LOG_LEVEL,
    providers,
  } as const;
}
