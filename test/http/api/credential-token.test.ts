import { serialiseTokenSet } from '../../../src/providers/token-set-codec.js';
import type { CredentialId } from '../../../src/domain/ids.js';
import { Secret } from '../../../src/vault/secret.js';
import { credentialTokensBinding } from '../../../src/vault/bindings.js';
import type { TestCredentialResult } from '../../../src/contracts/workflows.js';
import type { RefreshAnswer } from '../../../src/temporal/workflow-starter.js';
import { replyJson } from '../../support/wire-provider.js';
import { idOf } from '../../support/ids.js';
import { accessToken, apiKey as ordinaryKey, call, codeOf, connect, startApi, type Api } from './start-api.js';

const scopedKey = 'a-scoped-api-key-of-enough-characters';
const unnamedKey = 'an-unnamed-api-key-of-enough-characters';

let api: Api;
let now = new Date();
beforeAll(async () => {
  api = await startApi({
    settings: {
      RELINK_API_KEYS: `${ordinaryKey}, ${scopedKey} name=billing tokens:read,${unnamedKey} tokens:read`,
      RELINK_CALLBACK_DEADLINE: '1',
    },
    now: () => now,
  });
});
afterAll(() => api.close());
beforeEach(() => {
  now = new Date();
  api.provider.identity = replyJson(200, { data: { id: 1, company_id: 2, company_name: 'Two' } });
});

const getToken = (user: string, id: string, key = scopedKey) =>
  api.app.inject({
    url: `/api/credentials/${id}/token`,
    headers: { authorization: `Bearer ${key}`, 'relink-user': user },
  });
const getAfterRefusal = (user: string, id: string, refused: number | string) =>
  api.app.inject({
    url: `/api/credentials/${id}/token?refused_generation=${refused}`,
    headers: { authorization: `Bearer ${scopedKey}`, 'relink-user': user },
  });
const reads = (id: string) =>
  api.query('SELECT api_key, user_id, generation FROM token_reads WHERE credential_id = $1', [id]);

/** Connects to Pipedrive, whose tokens end in an hour and can be refreshed. */
async function connectExpiring(user: string) {
  const answer = { access_token: accessToken, token_type: 'Bearer', refresh_token: 'rt', expires_in: 3600 };
  api.provider.token = replyJson(200, answer);
  const { credential_id } = await connect(api, user, { entityType: 'pipedrive' });
  return idOf('credential', credential_id);
}

/** What the run of a refresh ends in; `fresh` is then stored. Counts the runs. */
function onRefresh(answer: RefreshAnswer | 'fresh', expiresAt: Date | null = null) {
  const runs = { count: 0 };
  api.workflows.runRefresh = async ({ credentialId, generation, refreshTry }) => {
    runs.count += 1;
    if (answer !== 'fresh') {
      if (answer.outcome === 'operator_fault') await rejectClient(credentialId, generation, refreshTry);
      return answer;
    }
    const tokens = {
      accessToken: new Secret('fresh-token'),
      refreshToken: new Secret('rt'),
      expiresAt,
      extras: {},
    };
    const sealedTokens = api.vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(credentialId));
    const write = { sealedTokens, refreshable: true, expiresAt, refreshDueAt: expiresAt };
    await api.store.compareAndSetTokens(credentialId, generation, write, now);
    return { outcome: 'refreshed', generation: generation + 1 };
  };
  return runs;
}

/** As a run does that met `invalid_client`: the verdict, then the next run's time. */
async function rejectClient(id: CredentialId, generation: number, refreshTry: number) {
  const verdict = { code: 'client_rejected', httpStatus: 401, since: now } as const;
  await api.store.markCredentialInvalid(id, 1, verdict, now);
  await api.store.raiseRefreshTry(id, generation, refreshTry, new Date(now.getTime() + 15 * 60_000));
}

test('a key with the scope gets the token in its form, and the answer is recorded and kept nowhere', async () => {
  const id = await connectExpiring('ann');
  const answer = await getToken('ann', id);
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    {
      credential_id: id,
      provider: 'pipedrive',
      kind: 'oauth2',
      token: accessToken,
      header: { name: 'authorization', value: `Bearer ${accessToken}` },
      expires_at: expect.any(String) as string,
      generation: 1,
    },
  ]);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(await reads(id)).toEqual([{ api_key: 'billing', user_id: 'ann', generation: 1 }]);
  expect(api.logLines.join('\n')).not.toContain(accessToken);
});

test('a key without the scope, and no key, get nothing, and nothing is recorded', async () => {
  const id = await connectExpiring('bob');
  const refused = await getToken('bob', id, ordinaryKey);
  expect([refused.statusCode, codeOf(refused)]).toEqual([403, 'scope_missing']);
  expect((await getToken('bob', id, 'unknown-key-of-enough-characters')).statusCode).toBe(401);
  expect(await reads(id)).toEqual([]);
});

test("another user's credential is not found, and not recorded", async () => {
  const id = await connectExpiring('cid');
  const answer = await getToken('dan', id);
  expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'not_found']);
  expect(await reads(id)).toEqual([]);
});

test('who got one is listed; an unnamed key is told apart without being given away', async () => {
  const id = await connectExpiring('eva');
  await getToken('eva', id);
  await getToken('eva', id, unnamedKey);
  const list = await call(api, 'eva', 'GET', `/api/credentials/${id}/token-reads`);
  expect(list.json()).toMatchObject({
    data: [
      { api_key: 'billing', generation: 1 },
      { api_key: expect.stringMatching(/^key-[0-9a-f]{8}$/) as string, generation: 1 },
    ],
    next_cursor: null,
  });
  expect(list.body).not.toContain(unnamedKey);
  expect((await call(api, 'foe', 'GET', `/api/credentials/${id}/token-reads`)).statusCode).toBe(404);
});

describe('a token near its end', () => {
  test('is refreshed first', async () => {
    const id = await connectExpiring('fay');
    now = new Date(Date.now() + 55 * 60_000);
    onRefresh('fresh');
    expect((await getToken('fay', id)).json()).toMatchObject({ token: 'fresh-token', generation: 2 });
    expect(await reads(id)).toEqual([{ api_key: 'billing', user_id: 'fay', generation: 2 }]);
  });

  test('is refreshed once for 50 at once', async () => {
    const id = await connectExpiring('gus');
    now = new Date(Date.now() + 2 * 3_600_000);
    let runs = 0;
    onRefresh('fresh');
    const refresh = api.workflows.runRefresh;
    api.workflows.runRefresh = async (...given) => {
      runs += 1;
      return await refresh(...given);
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => getToken('gus', id)));
    for (const answer of answers) expect(answer.json()).toMatchObject({ token: 'fresh-token' });
    expect(runs).toBe(1);
    expect(await reads(id)).toHaveLength(50);
  });

  test('is given out while it lives, when the new one is not there in time', async () => {
    const id = await connectExpiring('hal');
    now = new Date(Date.now() + 55 * 60_000);
    onRefresh({ outcome: 'timed_out' });
    expect((await getToken('hal', id)).json()).toMatchObject({ token: accessToken, generation: 1 });
  });
});

describe('a token past its end', () => {
  test('is worth a 503 with a time while the new one is awaited, and is not recorded', async () => {
    const id = await connectExpiring('ida');
    now = new Date(Date.now() + 2 * 3_600_000);
    onRefresh({ outcome: 'pending', retryAt: new Date(now.getTime() + 30_000).toISOString() });
    const answer = await getToken('ida', id);
    expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'refresh_pending']);
    expect(answer.headers['retry-after']).toBe('30');
    expect(await reads(id)).toEqual([]);
  });

  test('is worth nothing where its grant turns out dead', async () => {
    const id = await connectExpiring('jan');
    now = new Date(Date.now() + 2 * 3_600_000);
    onRefresh({ outcome: 'dead' });
    const answer = await getToken('jan', id);
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'credential_dead']);
    expect(answer.body).not.toContain(accessToken);
  });

  test('is refreshed once where the new one looks ended too, and that one is given out', async () => {
    const id = await connectExpiring('joy');
    now = new Date(Date.now() + 2 * 3_600_000);
    const runs = onRefresh('fresh', new Date(now.getTime() - 60_000));
    for (let call = 0; call < 5; call += 1) {
      expect((await getToken('joy', id)).json()).toMatchObject({ token: 'fresh-token', generation: 2 });
    }
    expect(runs.count).toBe(1);
    now = new Date(now.getTime() + 61_000);
    expect((await getToken('joy', id)).json()).toMatchObject({ generation: 3 });
  });

  test('without a refresh token is dead', async () => {
    api.provider.token = replyJson(200, { access_token: accessToken, token_type: 'Bearer', expires_in: 60 });
    const { credential_id } = await connect(api, 'kim', { entityType: 'pipedrive' });
    now = new Date(Date.now() + 120_000);
    const answer = await getToken('kim', credential_id);
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'credential_dead']);
  });
});

describe("of a credential whose product's client was rejected", () => {
  test('a token that lives is given out', async () => {
    const id = await connectExpiring('lew');
    now = new Date(Date.now() + 55 * 60_000);
    const runs = onRefresh({ outcome: 'operator_fault' });
    for (let call = 0; call < 3; call += 1) {
      expect((await getToken('lew', id)).json()).toMatchObject({ token: accessToken, generation: 1 });
    }
    expect(runs.count).toBe(1);
  });

  test('a token past its end is the matter of the operator, and nobody is asked to reconnect', async () => {
    const id = await connectExpiring('liv');
    now = new Date(Date.now() + 2 * 3_600_000);
    const runs = onRefresh({ outcome: 'operator_fault' });
    for (let call = 0; call < 3; call += 1) {
      const answer = await getToken('liv', id);
      expect([answer.statusCode, codeOf(answer)]).toEqual([502, 'client_rejected']);
      expect(answer.body).not.toMatch(/reconnect|connect again/i);
      expect(answer.body).not.toContain(accessToken);
    }
    expect(runs.count).toBe(1);
    expect(await reads(id)).toEqual([]);
  });
});

describe('a token that the provider refused', () => {
  /** What the identity call finds, and what a test's refresh has stored meanwhile. Counts the tests. */
  function onTest(outcome: TestCredentialResult['outcome'] | null) {
    const tests = { count: 0 };
    api.workflows.runCredentialTest = async () => {
      tests.count += 1;
      return outcome;
    };
    return tests;
  }

  test('is refreshed once for all who say so, and late ones get the newer one', async () => {
    const id = await connectExpiring('pam');
    const runs = onRefresh('fresh');
    const answers = await Promise.all(Array.from({ length: 20 }, () => getAfterRefusal('pam', id, 1)));
    for (const answer of answers) expect(answer.json()).toMatchObject({ token: 'fresh-token', generation: 2 });
    expect((await getAfterRefusal('pam', id, 1)).json()).toMatchObject({ token: 'fresh-token', generation: 2 });
    expect(runs.count).toBe(1);
    expect(await reads(id)).toHaveLength(21);
  });

  test('right after it was brought is tested, and given again where the provider still knows it', async () => {
    const id = await connectExpiring('pat');
    const runs = onRefresh('fresh');
    const tests = onTest('ok');
    await getAfterRefusal('pat', id, 1);
    for (let call = 0; call < 10; call += 1) {
      const answer = await getAfterRefusal('pat', id, 2);
      expect([answer.statusCode, answer.json()]).toEqual([200, expect.objectContaining({ generation: 2 })]);
    }
    expect([runs.count, tests.count]).toEqual([1, 1]);
    now = new Date(now.getTime() + 3_601_000);
    expect((await getAfterRefusal('pat', id, 2)).json()).toMatchObject({ generation: 3 });
  });

  test.each<[RefreshAnswer, number, string, string | undefined]>([
    [{ outcome: 'dead' }, 409, 'credential_dead', undefined],
    [{ outcome: 'operator_fault' }, 502, 'client_rejected', undefined],
    [{ outcome: 'timed_out' }, 503, 'refresh_pending', '2'],
  ])('and whose refresh ends in %j is not given again', async (outcome, status, code, retryAfter) => {
    const user = `quin-${outcome.outcome}`;
    const id = await connectExpiring(user);
    onRefresh(outcome);
    const answer = await getAfterRefusal(user, id, 1);
    expect([answer.statusCode, codeOf(answer), answer.headers['retry-after']]).toEqual([status, code, retryAfter]);
    expect(answer.body).not.toContain(accessToken);
    expect(await reads(id)).toEqual([]);
  });

  test.each<[TestCredentialResult['outcome'] | null, number, string | undefined]>([
    ['ok', 200, undefined],
    ['refused', 409, 'credential_dead'],
    ['unreachable', 503, 'provider_unavailable'],
    [null, 503, 'refresh_pending'],
  ])('and cannot be refreshed is tested: %s', async (outcome, status, code) => {
    const user = `rob-${outcome}`;
    const body = { entityType: 'pipedrive', kind: 'api_key', fields: { apiKey: `key-of-${user}` } };
    const { credential_id } = (await call(api, user, 'POST', '/api/credentials', body)).json<{
      credential_id: string;
    }>();
    const runs = onRefresh('fresh');
    onTest(outcome);
    const answer = await getAfterRefusal(user, credential_id, 1);
    expect(answer.statusCode).toBe(status);
    if (code !== undefined) expect(codeOf(answer)).toBe(code);
    expect(runs.count).toBe(0);
  });

  test('that was never stored is no generation', async () => {
    const id = await connectExpiring('sam');
    const runs = onRefresh('fresh');
    for (const refused of [2, 0, 'x']) {
      const answer = await getAfterRefusal('sam', id, refused);
      expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
    }
    expect(runs.count).toBe(0);
  });
});

test.each(['found dead', 'deleted'])('of a credential that was %s there is none', async how => {
  const user = `lea-${how.length}`;
  const id = await connectExpiring(user);
  if (how === 'deleted') await call(api, user, 'DELETE', `/api/credentials/${id}`);
  else await api.store.markCredentialInvalid(id, 1, { code: 'credential_refused', httpStatus: 401, since: now }, now);
  const answer = await getToken(user, id);
  expect([409, 404]).toContain(answer.statusCode);
  expect(answer.body).not.toContain(accessToken);
});

test('an API key goes out in the header that its provider wants', async () => {
  const fields = { apiKey: 'personal-token' };
  const made = await call(api, 'mia', 'POST', '/api/credentials', { entityType: 'pipedrive', kind: 'api_key', fields });
  const { credential_id } = made.json<{ credential_id: string }>();
  expect((await getToken('mia', credential_id)).json()).toMatchObject({
    kind: 'api_key',
    token: 'personal-token',
    header: { name: 'x-api-token', value: 'personal-token' },
    expires_at: null,
  });
});

test('what cannot be recorded is not handed out', async () => {
  const id = await connectExpiring('nan');
  await api.query('ALTER TABLE token_reads RENAME TO token_reads_away');
  try {
    const answer = await getToken('nan', id);
    expect(answer.statusCode).toBeGreaterThanOrEqual(500);
    expect(answer.body).not.toContain(accessToken);
  } finally {
    await api.query('ALTER TABLE token_reads_away RENAME TO token_reads');
  }
});
