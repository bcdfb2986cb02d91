import { z } from 'zod';
import { dropEmpty, type Environment, logLevel } from './config.js';
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
});

export interface DevConfig {
  /** Relative to the working directory, or absolute. */
  readonly dataDirectory: string;
  /** The port to begin with; where it is taken, the next free one is used; 0 is any free one. */
  readonly relinkPort: number | undefined;
  /** Path of the Temporal CLI. */
  readonly temporalCli: string | undefined;
  readonly logLevel: z.output<typeof logLevel> | undefined;
}

/** Reads the settings of an embedded stack. Throws ConfigError. */
export function loadDevConfig(environment: Environment): DevConfig {
  const parsed = environmentSchema.safeParse(dropEmpty(environment));
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`));
  const value = parsed.data;
  return {
    dataDirectory: value.RELINK_DATA_DIRECTORY,
    relinkPort: value.RELINK_PORT,
    temporalCli: value.RELINK_TEMPORAL_CLI,
    logLevel: value.RELINK_LOG_LEVEL,
  };
}
