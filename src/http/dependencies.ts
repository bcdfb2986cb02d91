import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Config } from '../config.js';
import type { CredentialTester } from '../credentials/create-credential-tester.js';
import type { CredentialRefresher } from '../credentials/credential-refresher.js';
import type { RunningWork } from '../credentials/running-work.js';
import type { IntegrationCatalogue } from '../integrations/load-integrations.js';
import type { Log } from '../log.js';
import type { ProviderCatalogue } from '../providers/load-providers.js';
import type { Store } from '../store/port/store.js';
import type { WorkflowStarter } from '../temporal/workflow-starter.js';
import type { Vault } from '../vault/vault.js';
import type { Intake } from './intake/create-intake.js';
import type { Metrics } from './intake/metrics.js';
import type { Refusals } from './refusals.js';
import type { UrlRule } from './operations/return-urls.js';

/** The settings that routes read. */
export type HttpConfig = Pick<
  Config,
  | 'apiKeys'
  | 'publicUrl'
  | 'productName'
  | 'returnUrls'
  | 'redirectUris'
  | 'callbackDeadlineMs'
  | 'exchangeTimeoutMs'
  | 'testGraceMs'
  | 'webhookBodyLimit'
  | 'heldLimit'
>;

export interface HttpDependencies {
  readonly config: HttpConfig;
  readonly log: Log;
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: ProviderCatalogue;
  readonly integrations: IntegrationCatalogue;
  readonly workflows: WorkflowStarter;
  readonly refresher: CredentialRefresher;
  readonly tester: CredentialTester;
  /** The clock of rows and deadlines; the system's unless given. */
  readonly now?: () => Date;
}

/** What routes and operations are built over. */
export interface HttpContext extends HttpDependencies {
  readonly now: () => Date;
  readonly returnUrlRules: readonly UrlRule[];
  readonly exchanges: RunningWork;
  readonly metrics: Metrics;
  readonly intake: Intake;
  /** Of secrets that handshakes brought and nobody keeps. */
  readonly handshakes: Pick<Refusals, 'tell'>;
}

/** A Fastify scope whose route types come from zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  ZodTypeProvider
>;
