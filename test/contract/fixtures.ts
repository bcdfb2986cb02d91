import { randomBytes } from 'node:crypto';
import type { Cause } from '../../src/domain/cause.js';
import type {
  CredentialId,
  EntityId,
  ExternalId,
  IntegrationType,
  ProviderId,
  SessionId,
  UserId,
} from '../../src/domain/ids.js';
import type { IntegrationState } from '../../src/domain/integration-state.js';
import { sessionStates, type SessionState } from '../../src/domain/session.js';
import { newId } from '../../src/ids.js';
import type {
  Credential,
  Entity,
  GrantWrite,
  Integration,
  NewSession,
  Page,
  PageRequest,
  Session,
  Store,
} from '../../src/store/port/store.js';
import type { CuttableProxy } from '../support/cuttable-proxy.js';

/**
 * What a suite runs against. Two stores on one database stand for two processes; tests share the database, so each
 * works with users and ids of its own.
 */
export interface StoreUnderTest {
  readonly first: Store;
  readonly second: Store;
  /** A third one, whose connections a test can cut. */
  readonly wired: Store;
  readonly wire: CuttableProxy;
  readonly leaveOut: LeaveOut;
}

/**
 * Takes fields out of a stored record, the way one looks that was written by a version without them: a column that came
 * later is NULL, a field that came later is missing.
 */
export type LeaveOut = (
  kind: 'sessions' | 'credentials' | 'entities' | 'integrations',
  id: string,
  fields: readonly string[],
) => Promise<void>;

export const attio = 'attio' as ProviderId;
export const noon = new Date('2026-11-23T12:00:00.000Z');
export const later = (from: Date, milliseconds: number) => new Date(from.getTime() + milliseconds);
export const minute = 60_000;
export const writers = 50;

const random = () => randomBytes(6).toString('hex');
export const newUser = () => `user-${random()}` as UserId;
export const newExternalId = () => `account-${random()}` as ExternalId;

/** Ends the title of every case that rests on several writes at once: scripts/test-stores.mjs tells where they came one by one. */
export const raceMark = ' [race]';
export const race = (title: string, body: () => Promise<void>): void => it(`${title}${raceMark}`, body);

/** Runs `write` for many callers at once, half of them in each process. Only in a `race`. */
export function atOnce<Result>(
  { first, second }: StoreUnderTest,
  write: (store: Store, index: number) => Promise<Result>,
): Promise<Result[]> {
  expect(expect.getState().currentTestName).toContain(raceMark);
  return Promise.all(Array.from({ length: writers }, (_, index) => write(index % 2 === 0 ? first : second, index)));
}

/** Every row of a list, page by page. */
export async function walk<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  limit: number,
): Promise<readonly Row[]> {
  const seen: Row[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page<Row> = await list({ limit, after });
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    seen.push(...page.rows);
    if (page.next === null) return seen;
    after = page.next;
  }
}

export function sessionOf(overrides: Partial<NewSession> = {}): NewSession {
  const id = newId('session');
  return {
    id,
    stateHash: `hash-${id}`,
    userId: newUser(),
    provider: attio,
    redirectUri: 'https://connect.example.com/api/oauth/callback/attio',
    ownRedirect: false,
    returnUrl: null,
    expectedEntityId: null,
    expectedExternalId: null,
    sealedRequest: 'sealed-request',
    expiresAt: later(noon, 15 * minute),
    ...overrides,
  };
}

export const otherStates = (...except: SessionState[]) => sessionStates.filter(state => !except.includes(state));

/** A session taken through its life up to `state`, the way callers take it there. */
export async function sessionIn(store: Store, state: SessionState, at = noon): Promise<Session> {
  const { id } = await store.insertSession(sessionOf({ expiresAt: later(at, 15 * minute) }));
  const steps: Record<SessionState, (() => Promise<unknown>)[]> = {
    pending: [() => store.touchSession(id, 'pending', at)],
    // The claim's time is the database's, so it has to be set back.
    exchanging: [() => store.claimSession(id, at), () => store.touchSession(id, 'exchanging', at)],
    exchanged: [() => store.claimSession(id, at), () => store.sealGrant(id, 'sealed-grant', at)],
    connected: [
      () => store.claimSession(id, at),
      () => store.sealGrant(id, 'sealed-grant', at),
      () => store.connectSession(id, newId('credential'), newId('entity'), at),
    ],
    restored: [
      () => store.claimSession(id, at),
      () => store.sealGrant(id, 'sealed-grant', at),
      () => store.connectSession(id, newId('credential'), newId('entity'), at),
      () => store.completeSession(id, at),
    ],
    failed: [() => store.endSession(id, 'pending', 'access_denied', at)],
  };
  for (const step of steps[state]) await step();
  return reload(store, id, state);
}

async function reload(store: Store, id: SessionId, state: SessionState): Promise<Session> {
  const session = await store.getSession(id);
  expect(session).toMatchObject({ id, state });
  if (session === null) throw new Error('unreachable');
  return session;
}

export function grantOf(grantSequence: number, overrides: Partial<GrantWrite> = {}): GrantWrite {
  return {
    kind: 'oauth2',
    sealedTokens: `sealed-${grantSequence}`,
    refreshable: false,
    expiresAt: null,
    refreshDueAt: null,
    grantEndsAt: null,
    grantWarnAt: null,
    grantSequence,
    ...overrides,
  };
}

export async function insertCredential(store: Store, userId: UserId, grantSequence = 1): Promise<Credential> {
  const key = { id: newId('credential'), userId, provider: attio, externalId: newExternalId() };
  const credential = await store.insertCredential(key, grantOf(grantSequence), noon);
  if (credential === null) throw new Error('the credential exists already');
  return credential;
}

export async function insertEntity(store: Store, userId: UserId, credentialId?: CredentialId): Promise<Entity> {
  const credential = credentialId ?? (await insertCredential(store, userId)).id;
  return store.upsertEntity(
    {
      id: newId('entity'),
      userId,
      provider: attio,
      externalId: newExternalId(),
      name: 'Acme',
      credentialId: credential,
      grantSequence: 1,
    },
    noon,
  );
}

export const ready: IntegrationState = { lifecycle: 'ready', intent: 'on', causes: [], epochs: {} };

export function causeOf(credentialId: CredentialId, epoch = 2): Cause {
  return {
    credentialId,
    epoch,
    provider: attio,
    kind: 'oauth2',
    code: 'credential_refused',
    httpStatus: 401,
    text: 'Attio no longer accepts this connection (HTTP 401). Reconnect the account.',
    since: '2026-11-23T12:00:00.000Z',
  };
}

export const deadBecauseOf = (credentialId: CredentialId): IntegrationState => ({
  ...ready,
  causes: [causeOf(credentialId)],
  epochs: { [credentialId]: 2 },
});

export async function insertIntegration(
  store: Store,
  userId: UserId,
  entityIds: readonly EntityId[],
  overrides: { state?: IntegrationState; type?: string; config?: Readonly<Record<string, unknown>> } = {},
): Promise<Integration> {
  const { integration, created } = await store.insertIntegration(
    {
      id: newId('integration'),
      userId,
      type: (overrides.type ?? `type-${random()}`) as IntegrationType,
      entityIds,
      config: overrides.config ?? {},
      state: overrides.state ?? ready,
    },
    noon,
  );
  expect(created).toBe(true);
  return integration;
}
