import { z } from 'zod';
import { dropEmpty, type Environment } from './config.js';
import { logLevel } from './config-fields.js';
import { listProblems, tellIssue } from './config-problems.js';
import { ConfigError } from './errors.js';

/** What `npm start`, the demo and the benchmark read from the environment. Empty means unset. */
const environmentSchema = z.object({
  RELINK_DATA_DIRECTORY: z.string().default('.relink'),
  RELINK_PORT: z.coerce
    .number({ error: 'must be a port number' })
    .int('must be a port number')
    .min(0, 'must be a port number')
    .max(65_535, 'must be a port number')
    .optional(),
  RELINK_TEMPORAL_CLI: z.string().optional(),
  RELINK_LOG_LEVEL: logLevel.optional(),
  MONGODB_URL: z.string().optional(),
});

/** What only the tests read, in test/support. */
const testNames = [
  'RELINK_RECORD_HISTORIES',
  'RELINK_TEST_NO_SERVERS',
  'RELINK_TEST_POSTGRES_URL',
  'RELINK_TEST_RUN_DIRECTORY',
  'RELINK_TEST_STORE',
  'RELINK_TEST_TEMPORAL_ADDRESS',
  'RELINK_TEST_TEMPORAL_CLI',
];

/** The names of development and tests. */
export const devSettingNames: readonly string[] = [...Object.keys(environmentSchema.shape), ...testNames];

export interface DevConfig {
  /** Relative to the working directory, or absolute. */
  readonly dataDirectory: string;
  /** The port to begin with; where it is taken, the next free one is used; 0 is any free one. */
  readonly relinkPort: number | undefined;
  /** Path of the Temporal CLI. */
  readonly temporalCli: string | undefined;
  readonly logLevel: z.output<typeof logLevel> | undefined;
  /** A real MongoDB for the benchmark of the stores, in place of the embedded server. */
  readonly mongodbUrl: string | undefined;
}

/** Reads the settings of an embedded stack. Throws ConfigError. */
export function loadDevConfig(environment: Environment): DevConfig {
  const parsed = environmentSchema.safeParse(dropEmpty(environment), { error: tellIssue });
  if (!parsed.success) throw new ConfigError(listProblems(parsed.error.issues));
  const value = parsed.data;
  return {
    dataDirectory: value.RELINK_DATA_DIRECTORY,
    relinkPort: value.RELINK_PORT,
    temporalCli: value.RELINK_TEMPORAL_CLI,
    logLevel: value.RELINK_LOG_LEVEL,
    mongodbUrl: value.MONGODB_URL,
  };
}
