import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Environment } from '../config.js';
import { restCallContext } from './rest-call-context.js';

/** Where Temporal is and how to reach it, from TEMPORAL_* and the profile file, through @temporalio/envconfig. */
export function loadTemporalSettings(environment: Environment) {
  const settings = loadClientConnectConfig({ overrideEnvVars: present(environment) });
  return { connectionOptions: settings.connectionOptions, namespace: settings.namespace ?? 'default' };
}

function present(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export type TemporalSettings = ReturnType<typeof loadTemporalSettings>;

/** A client that does not need Temporal to be there yet: callbacks are accepted while it is away. */
export function connectClient(settings: TemporalSettings): Client {
  const connection = Connection.lazy(settings.connectionOptions);
  restCallContext(connection);
  return new Client({ connection, namespace: settings.namespace });
}
