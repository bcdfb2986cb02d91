import { randomBytes } from 'node:crypto';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { Client } from 'pg';
import { loadConfig } from '../../../src/config.js';
import { createApp } from '../../../src/http/create-app.js';
import { createCredentialRefresher } from '../../../src/credentials/create-credential-refresher.js';
import { createCredentialTester } from '../../../src/credentials/create-credential-tester.js';
import type { IntegrationDefinition } from '../../../src/integrations/definition.js';
import { type IntegrationCatalogue, loadIntegrations } from '../../../src/integrations/load-integrations.js';
import { createLog } from '../../../src/log.js';
import type { Provider } from '../../../src/providers/configure-provider.js';
import { loadProviders, type ProviderCatalogue } from '../../../src/providers/load-providers.js';
import { createPostgresStore } from '../../../src/store/postgres/create-postgres-store.js';
import type { Store } from '../../../src/store/port/store.js';
import { parseKeyRing } from '../../../src/vault/parse-key-ring.js';
import { createVault, type Vault } from '../../../src/vault/vault.js';
import { createTestDatabase } from '../../support/create-test-database.js';
import { replyJson, startWireProvider, type WireProvider, type WireReply } from '../../support/wire-provider.js';
import { createInMemoryWorkflows, type InMemoryWorkflows } from './in-memory-workflows.js';

export const apiKey = 'a-test-api-key-of-enough-characters';
export const publicUrl = 'https://connect.example.com';
export const ownRedirect = 'https://app.example.com/oauth/done';
export const accessToken = 'attio-access-token-for-tests-only';

const vaultKey = `test:${randomBytes(32).toString('base64')}`;

export interface ApiOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
  /** In place of the database's own address. */
  readonly databaseUrl?: string;
  /** Besides the built-in types. */
  readonly types?: readonly IntegrationDefinition[];
  /** Besides Attio and Pipedrive, made from what is configured. */
  readonly providers?: (configured: ProviderCatalogue) => readonly Provider[];
}

/** One server process: its own app, pool and clock over a shared database and provider. */
export interface ApiProcess {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly vault: Vault;
  readonly workflows: InMemoryWorkflows;
  readonly logLines: string[];
  close(): Promise<void>;
}

export interface Api extends ApiProcess {
  readonly databaseUrl: string;
  /** Plays Attio and Pipedrive: `/token` and `/identity`. */
  readonly wire: WireProvider;
  /** What `/token` and `/identity` answer. */
  readonly provider: { token: WireReply; identity: WireReply };
  /** Token requests that arrived. */
  exchanges(): number;
  startProcess(options?: ApiOptions): Promise<ApiProcess>;
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/** The service over a fresh database, with a loopback server in the providers' place. */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const database = await createTestDatabase();
  const provider = {
    token: replyJson(200, { access_token: accessToken, token_type: 'Bearer' }),
    identity: replyJson(200, { active: true, workspace_id: 'ws_1', workspace_name: 'Acme' }),
  };
  const wire = await startWireProvider((response, request) => {
    if (request.path.startsWith('/token')) provider.token(response, request);
    else provider.identity(response, request);
  });
  const startProcess = (more: ApiOptions = {}) =>
    startApiProcess(wire, { databaseUrl: database.url, ...options, ...more });
  const main = await startProcess().catch(async (error: unknown) => {
    await wire.close();
    throw error;
  });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return {
    ...main,
    databaseUrl: database.url,
    wire,
    provider,
    exchanges: () => wire.requests.filter(request => request.path === '/token').length,
    startProcess,
    query: async (sql, values = []) => (await client.query<Record<string, unknown>>(sql, [...values])).rows,
    close: async () => {
      await main.close();
      await client.end();
      await wire.close();
      await database.drop();
    },
  };
}

async function startApiProcess(
  wire: WireProvider,
  { settings = {}, now = () => new Date(), databaseUrl = '', types = [], providers = () => [] }: ApiOptions,
): Promise<ApiProcess> {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    RELINK_KEYS: vaultKey,
    RELINK_API_KEYS: `${apiKey},another-api-key-used-in-rotation`,
    RELINK_PUBLIC_URL: publicUrl,
    RELINK_PRODUCT_NAME: 'Rocket <CRM>',
    RELINK_RETURN_URLS: 'https://app.example.com,https://other.example.com/settings',
    RELINK_REDIRECT_URIS: ownRedirect,
    ...wireSettings('ATTIO', wire),
    ...wireSettings('PIPEDRIVE', wire),
    ...settings,
  });
  const logLines: string[] = [];
  const log = createLog('debug', 'test', { write: line => void logLines.push(line) });
  const store = createPostgresStore({ databaseUrl, poolSize: 4 });
  const core = {
    config,
    log,
    store,
    vault: createVault(parseKeyRing(config.keys)),
    providers: addProviders(loadProviders(config.providers), providers),
    integrations: addTypes(loadIntegrations(), types),
    now,
  };
  const workflows = createInMemoryWorkflows({ ...core, settings: config });
  const refresher = createCredentialRefresher({ store, workflows, now: () => now().getTime() });
  const tester = createCredentialTester(workflows, config.testGraceMs);
  const app = await createApp({ ...core, workflows, refresher, tester });
  return {
    app,
    store,
    vault: core.vault,
    workflows,
    logLines,
    close: async () => {
      await app.close();
      await workflows.settled();
      await store.close();
    },
  };
}

function addProviders(configured: ProviderCatalogue, make: NonNullable<ApiOptions['providers']>): ProviderCatalogue {
  const more = make(configured);
  return {
    get: id => more.find(provider => provider.id === id) ?? configured.get(id),
    list: () => [...configured.list(), ...more],
  };
}

function addTypes(builtIn: IntegrationCatalogue, types: readonly IntegrationDefinition[]): IntegrationCatalogue {
  const find = (type: string) => types.find(definition => definition.type === type);
  return {
    get: type => find(type) ?? builtIn.get(type),
    find: type => find(type) ?? builtIn.find(type),
    list: () => [...builtIn.list(), ...types],
  };
}

function wireSettings(name: string, wire: WireProvider): Record<string, string> {
  return {
    [`RELINK_PROVIDER_${name}_CLIENT_ID`]: 'client-of-the-tests',
    [`RELINK_PROVIDER_${name}_CLIENT_SECRET`]: 'client-secret-of-the-tests',
    [`RELINK_PROVIDER_${name}_AUTHORIZATION_URL`]: `${wire.origin}/authorize`,
    [`RELINK_PROVIDER_${name}_TOKEN_URL`]: `${wire.origin}/token`,
    [`RELINK_PROVIDER_${name}_IDENTITY_URL`]: `${wire.origin}/identity`,
    [`RELINK_PROVIDER_${name}_ALLOW_INSECURE`]: 'true',
  };
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** A product's back end: the API key and the user it acts for. */
export function call(
  { app }: Pick<ApiProcess, 'app'>,
  user: string,
  method: Method,
  url: string,
  payload?: object,
): Promise<LightMyRequestResponse> {
  const headers = { authorization: `Bearer ${apiKey}`, 'relink-user': user };
  return app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
}

export interface Begun {
  readonly attempt: string;
  readonly state: string;
  /** `name=value` of the browser that pressed the button. */
  readonly cookie: string;
  /** Where that button sent the browser. */
  readonly authorizationUrl: URL;
  /** Path and query of a callback with a code. */
  readonly callback: string;
}

/** Begins an attempt and presses the start page's button. */
export async function begin(
  api: Pick<ApiProcess, 'app'>,
  user: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Begun> {
  const search = new URLSearchParams({ entityType: 'attio', ...query });
  const created = await call(api, user, 'GET', `/api/authorize?${search.toString()}`);
  if (created.statusCode !== 200) throw new Error(`no attempt: ${created.body}`);
  const { attempt } = created.json<{ attempt: string }>();
  const pressed = await api.app.inject({ method: 'POST', url: `/connect/${attempt}` });
  if (pressed.statusCode !== 303) throw new Error(`no redirect: ${pressed.body}`);
  const authorizationUrl = new URL(String(pressed.headers.location));
  const state = authorizationUrl.searchParams.get('state') ?? '';
  const [cookie] = pressed.cookies;
  return {
    attempt,
    state,
    cookie: `${cookie?.name}=${cookie?.value}`,
    authorizationUrl,
    callback: `/api/oauth/callback/${search.get('entityType')}?code=code-of-${attempt}&state=${state}`,
  };
}

/** The browser coming back from the provider. */
export function comeBack(
  { app }: Pick<ApiProcess, 'app'>,
  url: string,
  cookie: string | undefined,
  accept = 'application/json',
): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'GET', url, headers: { accept, ...(cookie === undefined ? {} : { cookie }) } });
}

/** Connects the account that the provider names; returns its ids. */
export async function connect(
  api: Pick<ApiProcess, 'app'>,
  user: string,
  query: Readonly<Record<string, string>> = {},
): Promise<{ credential_id: string; entity_id: string; type: string }> {
  const begun = await begin(api, user, query);
  const answer = await comeBack(api, begun.callback, begun.cookie);
  if (answer.statusCode !== 200) throw new Error(`not connected: ${answer.body}`);
  return answer.json();
}

/** The code of an error answer. */
export function codeOf(answer: LightMyRequestResponse): string {
  return answer.json<{ error: { code: string } }>().error.code;
}
