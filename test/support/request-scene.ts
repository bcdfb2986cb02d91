import { randomBytes } from 'node:crypto';
import type { CredentialId, EntityId } from '../../src/domain/ids.js';
import { createCredentialRefresher } from '../../src/credentials/create-credential-refresher.js';
import type { HandlerClock } from '../../src/handlers/handler-clock.js';
import { createLivingConnections } from '../../src/handlers/living-connections.js';
import { createRefusalMemory } from '../../src/handlers/create-refusal-memory.js';
import { requestProvider } from '../../src/handlers/request-provider.js';
import { createCredentialTester, type TestOutcome } from '../../src/credentials/create-credential-tester.js';
import { newId } from '../../src/ids.js';
import type { ProviderRequest } from '../../src/integrations/handler-context.js';
import type { Provider, ProviderSettings } from '../../src/providers/configure-provider.js';
import { closeProviderConnections } from '../../src/providers/guarded-dispatcher.js';
import { serialiseTokenSet } from '../../src/providers/token-set-codec.js';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import type { Integration, Store } from '../../src/store/port/store.js';
import type { RefreshAnswer } from '../../src/temporal/workflow-starter.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';
import { createVault, type Vault } from '../../src/vault/vault.js';
import { grantOf, insertIntegration, newExternalId, newUser, noon } from '../contract/fixtures.js';
import { createTestDatabase } from './create-test-database.js';
import { replyJson, startWireProvider, type WireProvider } from './wire-provider.js';
import { canary, wireUp } from './wire-settings.js';

/** A credential with an entity and an integration, and the calls of a handler in its name. */
export interface Scene {
  readonly integration: Integration;
  readonly credentialId: CredentialId;
  readonly entityId: EntityId;
  readonly token: string;
  /** How often a test was started. */
  readonly tests: { count: number };
  /** How often a refresh was run. */
  readonly refreshes: { count: number };
  request(wanted: ProviderRequest, signal?: AbortSignal, clock?: HandlerClock): ReturnType<typeof requestProvider>;
  /** Writes a new grant over the old one. */
  renew(token: string): Promise<void>;
  kill(): Promise<void>;
}

export interface SceneOptions {
  readonly provider?: string;
  readonly settings?: Partial<ProviderSettings>;
  readonly extras?: Record<string, string>;
  readonly outcome?: TestOutcome;
  readonly onTest?: () => Promise<void>;
  /** Of a credential with a refresh token: what the run of its refresh ends with, when it stores no new token. */
  readonly refresh?: 'refreshed' | RefreshAnswer;
  readonly expiresAt?: Date;
  readonly refreshDueAt?: Date;
  /** Of the token that a refresh brings. */
  readonly freshExpiresAt?: Date;
  readonly now?: () => number;
}

/** The two servers of one test: the provider, and a host that is not the provider's. */
export interface Wires {
  readonly wire: WireProvider;
  readonly stranger: WireProvider;
}

export interface RequestStage {
  readonly store: Store;
  readonly vault: Vault;
  /** Before each test. */
  openWires(): Promise<Wires>;
  /** After each test. */
  closeWires(): Promise<void>;
  /** A scene of its own at the wires that are open. */
  setScene(options?: SceneOptions): Promise<Scene>;
  close(): Promise<void>;
}

/** What the tests of a handler's calls share: a store on a fresh database, and a vault. */
export async function openRequestStage(): Promise<RequestStage> {
  const vault = createVault(parseKeyRing(new Secret(`k1:${randomBytes(32).toString('base64')}`)));
  const database = await createTestDatabase();
  const store = createPostgresStore({ databaseUrl: database.url, poolSize: 2 });
  let opened: Wires | undefined;
  const wires = () => {
    if (opened === undefined) throw new Error('no wires are open');
    return opened;
  };

  async function setScene(options: SceneOptions = {}): Promise<Scene> {
    const { provider: name = 'sandbox', settings = {}, extras = {}, outcome = 'ok', onTest, now = Date.now } = options;
    const refreshable = options.refresh !== undefined;
    const provider: Provider = wireUp(name, wires().wire, settings);
    const userId = newUser();
    const credentialId = newId('credential');
    const token = canary('token');
    const seal = (text: string) =>
      vault.seal(
        serialiseTokenSet({ accessToken: new Secret(text), refreshToken: null, expiresAt: null, extras }),
        credentialTokensBinding(credentialId),
      );
    const key = { id: credentialId, userId, provider: provider.id, externalId: newExternalId() };
    const { expiresAt = null, refreshDueAt = null } = options;
    const times = { refreshable, expiresAt, refreshDueAt };
    await store.insertCredential(key, grantOf(1, { sealedTokens: seal(token), ...times }), noon);
    const entity = await store.upsertEntity(
      { ...key, id: newId('entity'), name: null, credentialId, grantSequence: 1, externalId: newExternalId() },
      noon,
    );
    const integration = await insertIntegration(store, userId, [entity.id]);
    const tests = { count: 0 };
    const tester = createCredentialTester(
      {
        async runCredentialTest() {
          tests.count += 1;
          await onTest?.();
          return outcome;
        },
      },
      [],
    );
    const refreshes = { count: 0 };
    const runRefresh = async (target: { readonly generation: number }): Promise<RefreshAnswer> => {
      refreshes.count += 1;
      if (options.refresh !== 'refreshed') return options.refresh ?? { outcome: 'not_refreshable' };
      const { freshExpiresAt = null } = options;
      const fresh = {
        sealedTokens: seal(`${token}-fresh`),
        refreshable,
        expiresAt: freshExpiresAt,
        refreshDueAt: null,
      };
      const stored = await store.compareAndSetTokens(credentialId, target.generation, fresh, noon);
      return { outcome: 'refreshed', generation: stored?.generation ?? 0 };
    };
    const dependencies = {
      connections: createLivingConnections({ store, vault }, now),
      providers: { get: () => provider, list: () => [provider] },
      refresher: createCredentialRefresher({ store, workflows: { runRefresh }, now }),
      tester,
      refusals: createRefusalMemory(now),
      now,
    };
    return {
      refreshes,
      integration,
      credentialId,
      entityId: entity.id,
      token,
      tests,
      request: (wanted, signal = new AbortController().signal, clock) =>
        requestProvider({ ...dependencies, clock }, integration, wanted, signal),
      async renew(text) {
        const row = await store.getCredential(credentialId);
        const grant = grantOf((row?.grantSequence ?? 0) + 1, { sealedTokens: seal(text) });
        expect(await store.replaceGrant(credentialId, row?.epoch ?? 0, grant, noon)).not.toBeNull();
      },
      async kill() {
        const row = await store.getCredential(credentialId);
        const verdict = { code: 'credential_refused', httpStatus: 401, since: noon } as const;
        await store.markCredentialInvalid(credentialId, row?.epoch ?? 0, verdict, noon);
      },
    };
  }

  return {
    store,
    vault,
    setScene,
    async openWires() {
      const [wire, stranger] = await Promise.all([
        startWireProvider(replyJson(200, { ok: true })),
        startWireProvider(),
      ]);
      opened = { wire, stranger };
      return opened;
    },
    async closeWires() {
      const { wire, stranger } = wires();
      await Promise.all([wire.close(), stranger.close()]);
      await closeProviderConnections();
    },
    async close() {
      await store.close();
      await database.drop();
    },
  };
}
