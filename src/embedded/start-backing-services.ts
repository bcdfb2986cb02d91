import { join } from 'node:path';
import { dropEmpty, type Environment } from '../config.js';
import { searchAttributeKinds } from '../contracts/search-attributes.js';
import { findTemporalCli } from './find-temporal-cli.js';
import { type LocalSecrets, readOrMakeLocalSecrets } from './local-secrets.js';
import { holdPort } from './hold-port.js';
import { pickPort } from './pick-port.js';
import { attioSettings, callbacksOf, deriveSecret, sandboxSettings } from './sandbox-settings.js';
import { startSandbox } from './sandbox/start-sandbox.js';
import { startEmbeddedDatabase } from './start-embedded-database.js';
import type { StoreName } from './store-names.js';
import { startEmbeddedTemporal } from './temporal/start-embedded-temporal.js';

export { sandboxSettings, sandboxWebhookSecret } from './sandbox-settings.js';

export interface BackingServicesOptions {
  /** Everything the stack keeps: data, secrets, logs. One running stack per directory. */
  readonly directory: string;
  /** The Temporal CLI is kept here between stacks. */
  readonly toolsDirectory: string;
  /** The user's own settings; what is set there is used instead of an embedded part. */
  readonly environment: Environment;
  readonly ports: {
    readonly relink?: number;
    /** Of the embedded database. */
    readonly database?: number;
    readonly temporal?: number;
    readonly temporalUi?: number;
    readonly sandbox?: number;
  };
  /** The embedded database; PostgreSQL unless given. A `DATABASE_URL` of the user's own goes before it. */
  readonly store?: StoreName;
  readonly headless?: boolean;
  /** Redirect URIs of an adopter's own page, registered at the sandbox and allowed in Relink. */
  readonly redirectUris?: readonly string[];
  /** Has the sandbox play Attio as well. */
  readonly attioStandIn?: boolean;
  readonly onProgress: (line: string) => void;
}

export interface BackingServices {
  /** Complete settings for server and worker: the user's own over the embedded ones. */
  readonly environment: Environment;
  readonly secrets: LocalSecrets;
  readonly relinkUrl: string;
  /** Relink's port is kept from others until its server is about to listen. */
  releasePort(): Promise<void>;
  readonly sandboxUrl: string;
  readonly temporalUiUrl: string | undefined;
  /** Temporal's database file, when it is embedded. */
  readonly temporalFile: string | undefined;
  /** Rejects when one of them ends without being asked to. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

/**
 * The database, Temporal and the sandbox provider, each real, each bound to loopback, for `npm start`, the demo and the
 * tests. What cannot be started stops what already was.
 */
export async function startBackingServices(options: BackingServicesOptions): Promise<BackingServices> {
  const { directory, ports, onProgress } = options;
  const environment = dropEmpty(options.environment);
  const stops: (() => Promise<void>)[] = [];
  const deaths: Promise<string>[] = [];
  let stopping = false;
  const stop = async () => {
    stopping = true;
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const secrets = await readOrMakeLocalSecrets(directory);

    let databaseUrl = environment['DATABASE_URL'];
    if (databaseUrl === undefined) {
      const database = await startEmbeddedDatabase({
        store: options.store ?? 'postgres',
        directory,
        toolsDirectory: options.toolsDirectory,
        port: ports.database,
        onProgress,
      });
      stops.push(() => database.stop());
      deaths.push(database.exited);
      databaseUrl = database.url;
      onProgress(database.label);
    }

    let temporalUiUrl: string | undefined;
    let temporalFile: string | undefined;
    let temporalSettings: Record<string, string> = {};
    if (!hasOwnTemporal(environment)) {
      const cli = await findTemporalCli({
        configuredPath: environment['RELINK_TEMPORAL_CLI'],
        toolsDirectory: options.toolsDirectory,
        onProgress,
      });
      temporalFile = join(directory, 'temporal.db');
      const temporal = await startEmbeddedTemporal({
        cliPath: cli.path,
        databaseFile: temporalFile,
        port: ports.temporal,
        uiPort: ports.temporalUi,
        headless: options.headless,
        searchAttributes: searchAttributeKinds,
        onProgress,
      });
      stops.push(() => temporal.stop());
      deaths.push(temporal.exited.then(reason => `Temporal's dev server ended (${reason})`));
      temporalUiUrl = temporal.uiUrl;
      temporalSettings = { TEMPORAL_ADDRESS: temporal.address };
      onProgress(`Temporal: ${temporal.address}${temporalUiUrl === undefined ? '' : `, UI ${temporalUiUrl}`}`);
    }

    const held = await holdPort(ports.relink, 'Relink', onProgress);
    const relinkPort = held.port;
    stops.push(() => held.release());
    const relinkUrl = environment['RELINK_PUBLIC_URL'] ?? `http://127.0.0.1:${relinkPort}`;
    const sandboxPort = await pickPort(ports.sandbox, 'Sandbox provider', onProgress, [relinkPort]);
    const clientId = 'relink';
    const sandbox = await startSandbox({
      port: sandboxPort,
      controlKey: secrets.sandboxControlKey,
      stateFile: join(directory, 'sandbox.json'),
      clients: [
        {
          clientId,
          clientSecret: secrets.sandboxClientSecret,
          name: environment['RELINK_PRODUCT_NAME'] ?? 'Relink',
          redirectUris: [...callbacksOf(relinkUrl), ...(options.redirectUris ?? [])],
        },
      ],
    });
    stops.push(() => sandbox.close());
    onProgress(`Sandbox provider: ${sandbox.url}`);

    const died = new Promise<never>((_, reject) => {
      void Promise.race(deaths).then(reason => {
        if (!stopping) reject(new Error(reason));
      });
    });
    // Whoever waits for it hears of it; before that nobody does, and it must not count as unhandled.
    died.catch(() => undefined);

    return {
      environment: {
        RELINK_KEYS: secrets.keyRing,
        RELINK_API_KEYS: secrets.apiKey,
        RELINK_PUBLIC_URL: relinkUrl,
        RELINK_RETURN_URLS: relinkUrl,
        RELINK_REDIRECT_URIS: (options.redirectUris ?? []).join(','),
        ...sandboxSettings(sandbox.url, clientId, secrets.sandboxClientSecret),
        ...(options.attioStandIn === true && attioSettings(sandbox.url, clientId, secrets.sandboxClientSecret)),
        RELINK_FORWARD_SECRETS: `whsec_${deriveSecret(secrets.sandboxClientSecret, 'forward')}`,
        RELINK_FORWARD_ALLOW_LOOPBACK: 'true',
        ...temporalSettings,
        ...environment,
        // What was settled here from the user's settings.
        DATABASE_URL: databaseUrl,
        RELINK_PORT: String(relinkPort),
      },
      secrets,
      relinkUrl,
      releasePort: () => held.release(),
      sandboxUrl: sandbox.url,
      temporalUiUrl,
      temporalFile,
      died,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Any setting of the user's that names a Temporal server: then the embedded one stays away. */
function hasOwnTemporal(environment: Environment): boolean {
  return ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some(name => environment[name] !== undefined);
}
