import { setTimeout as sleep } from 'node:timers/promises';
import type { DeleteCredentialResult } from '../../src/contracts/workflows.js';
import { openTokens } from '../../src/credentials/open-tokens.js';
import { RelinkError } from '../../src/errors.js';
import type { TokenSet } from '../../src/providers/definition.js';
import { parseTokenSet, serialiseTokenSet } from '../../src/providers/token-set-codec.js';
import type { Credential } from '../../src/store/port/store.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import { grantOf } from '../contract/fixtures.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { callControl, fetchIdentity } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, read, refresh, spoil, mend } = createRefreshScene(() => stack);

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterEach(mend);
afterEach(() => jest.restoreAllMocks());
afterAll(() => stack.stop());

/** Every set of tokens of a credential that is sealed from now on, by what it is sealed to. */
function watchSealed(): { readonly binding: string; readonly tokens: TokenSet }[] {
  const sealed: { binding: string; tokens: TokenSet }[] = [];
  const { vault } = stack.core;
  const seal = vault.seal.bind(vault);
  jest.spyOn(vault, 'seal').mockImplementation((secret, binding) => {
    if (binding.startsWith('credentials/')) sealed.push({ binding, tokens: parseTokenSet(secret) });
    return seal(secret, binding);
  });
  return sealed;
}

const statusOf = async ({ accessToken }: TokenSet) => (await fetchIdentity(stack.sandbox, accessToken.reveal())).status;
const deletionOf = async ({ id }: Credential) =>
  (await stack.core.client.workflow.getHandle(`delete/${id}/2`).result()) as DeleteCredentialResult;

describe('a credential that is deleted while its refresh is under way', () => {
  it('leaves no living tokens at the provider, also where its revocation came before the answer', async () => {
    const user = stack.user();
    const credential = await connect(user, 'initech');
    const sealed = watchSealed();
    await spoil({ kind: 'late', delayMs: 2_500 });
    const running = refresh(credential);
    await sleep(500);
    expect((await user.request('DELETE', `/api/credentials/${credential.id}`)).status).toBe(204);
    expect(await deletionOf(credential)).toEqual({ outcome: 'removed', revocation: 'revoked' });
    expect(await running).toEqual({ kind: 'gone' });
    const [brought] = sealed;
    if (brought === undefined) throw new Error('the refresh brought nothing');
    expect(await statusOf(brought.tokens)).toBe(401);
    expect(stack.logLines.filter(line => line.includes(credential.id) && line.includes('refresh brought'))).toEqual([
      expect.stringMatching(/"level":"info".*"revocation":"revoked"/),
    ]);
  });

  it('has its revocation end the new ones, for as long as that takes', async () => {
    const user = stack.user();
    const credential = await connect(user, 'initech');
    const sealed = watchSealed();
    // The provider refuses to revoke until the refresh has answered, and a little longer.
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'revoke', status: 503, count: 3 } });
    await spoil({ kind: 'late', delayMs: 1_000 });
    const running = refresh(credential);
    await sleep(300);
    expect((await user.request('DELETE', `/api/credentials/${credential.id}`)).status).toBe(204);
    expect(await running).toEqual({ kind: 'dead' });
    const [brought] = sealed;
    if (brought === undefined) throw new Error('the refresh brought nothing');
    expect(await statusOf(brought.tokens)).toBe(200);
    const kept = (await stack.core.store.getCredential(credential.id))?.sealedTokens ?? '';
    const { accessToken } = parseTokenSet(stack.core.vault.open(kept, credentialTokensBinding(credential.id)));
    expect(accessToken.reveal()).toBe(brought.tokens.accessToken.reveal());
    expect(await deletionOf(credential)).toEqual({ outcome: 'removed', revocation: 'revoked' });
    expect(await statusOf(brought.tokens)).toBe(401);
  });

  it('leaves none either where the database is away between the answer and the look at the row', async () => {
    const { store } = stack.core;
    const user = stack.user();
    const credential = await connect(user, 'initech');
    await spoil({ kind: 'late', delayMs: 2_500 });
    const running = refresh(credential);
    await sleep(500);
    expect((await user.request('DELETE', `/api/credentials/${credential.id}`)).status).toBe(204);
    await deletionOf(credential);
    const isAway = () => Promise.reject(new RelinkError('database_unavailable'));
    // The first look is of the write itself.
    jest
      .spyOn(store, 'getCredential')
      .mockImplementationOnce(() => Promise.resolve(null))
      .mockImplementationOnce(isAway);
    jest.spyOn(store, 'findCredentialByExternalId').mockImplementationOnce(isAway);
    expect(await running).toEqual({ kind: 'gone' });
    expect(stack.logLines.filter(line => line.includes(credential.id) && line.includes('refresh brought'))).toEqual([
      expect.stringMatching(/"level":"info".*"revocation":"revoked"/),
    ]);
  });

  it('hands the new ones to its revocation once a database that was away is back', async () => {
    const { store } = stack.core;
    const user = stack.user();
    const credential = await connect(user, 'initech');
    const sealed = watchSealed();
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'revoke', status: 503, count: 3 } });
    await spoil({ kind: 'late', delayMs: 1_000 });
    jest.spyOn(store, 'keepTokensOfDeleted').mockRejectedValueOnce(new RelinkError('database_unavailable'));
    const running = refresh(credential);
    await sleep(300);
    expect((await user.request('DELETE', `/api/credentials/${credential.id}`)).status).toBe(204);
    expect(await running).toEqual({ kind: 'dead' });
    const [brought] = sealed;
    if (brought === undefined) throw new Error('the refresh brought nothing');
    const kept = (await store.getCredential(credential.id))?.sealedTokens ?? '';
    const { accessToken } = parseTokenSet(stack.core.vault.open(kept, credentialTokensBinding(credential.id)));
    expect(accessToken.reveal()).toBe(brought.tokens.accessToken.reveal());
    expect(await deletionOf(credential)).toEqual({ outcome: 'removed', revocation: 'revoked' });
  });

  it('and connected again has the new grant left alone', async () => {
    const user = stack.user();
    const credential = await connect(user, 'initech');
    await spoil({ kind: 'late', delayMs: 3_000 });
    const running = refresh(credential);
    await sleep(500);
    expect((await user.request('DELETE', `/api/credentials/${credential.id}`)).status).toBe(204);
    await deletionOf(credential);
    const sealed = watchSealed();
    const again = await connect(user, 'initech');
    const grant = sealed.find(({ binding }) => binding.includes(again.id));
    if (grant === undefined) throw new Error('no grant was sealed');
    expect(await running).toEqual({ kind: 'gone' });
    expect(await statusOf(grant.tokens)).toBe(200);
    expect(stack.logLines.filter(line => line.includes('refresh brought') && line.includes(credential.id))).toEqual([]);
  });
});

describe('a credential that is connected again while its refresh is under way', () => {
  const reconnect = async (account: string, change: (held: TokenSet) => Partial<TokenSet>) => {
    const { store, vault } = stack.core;
    const credential = await connect(stack.user(), account);
    const { id } = credential;
    await spoil({ kind: 'late', delayMs: 1_000 });
    const running = refresh(credential);
    while ((await read(id)).refreshPostedAt === null) await sleep(10);
    await sleep(300);
    const held = openTokens(vault, credential);
    const granted = { ...held, accessToken: new Secret('of-the-reconnect'), ...change(held) };
    const sealedTokens = vault.seal(serialiseTokenSet(granted), credentialTokensBinding(id));
    await store.replaceGrant(id, 1, grantOf(1e9, { sealedTokens, refreshable: true }), new Date());
    const { kind } = await running;
    const tokens = openTokens(vault, await read(id));
    return { id, kind, held, tokens };
  };

  it('keeps the refresh token that came for the one it kept, and its own access token', async () => {
    const { id, kind, held, tokens } = await reconnect('initech', () => ({}));
    expect(kind).toBe('refreshed');
    expect(tokens.accessToken.reveal()).toBe('of-the-reconnect');
    expect(tokens.refreshToken?.reveal()).not.toBe(held.refreshToken?.reveal());
    expect(await refresh(await read(id))).toMatchObject({ kind: 'refreshed', generation: 4 });
  });

  it.each([
    ['brought a refresh token of its own', 'initech', 'of-the-reconnect'],
    ['kept one that is not spent', 'globex', undefined],
  ])('is left as it is where it %s', async (_what, account, own) => {
    const { id, kind, held, tokens } = await reconnect(account, () =>
      own === undefined ? {} : { refreshToken: new Secret(own) },
    );
    expect(kind).toBe('refreshed');
    expect(tokens.refreshToken?.reveal()).toBe(own ?? held.refreshToken?.reveal());
    expect(await read(id)).toMatchObject({ generation: 2, epoch: 2 });
  });
});
