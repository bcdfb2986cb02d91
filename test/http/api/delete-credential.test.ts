import { hang, replyText } from '../../support/wire-provider.js';
import { call, codeOf, connect, startApi, type Api } from './start-api.js';

let api: Api;
let revocations: number;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const path = (id: string, query = '') => `/api/credentials/${id}${query}`;
const integrate = async (user: string, entityId: string) => {
  const answer = await call(api, user, 'POST', '/api/integrations', { type: 'contact-sync', entities: [entityId] });
  return `/api/integrations/${answer.json<{ id: string }>().id}`;
};

test('an unused credential goes with its entity, and its tokens with it', async () => {
  const mine = await connect(api, 'ann');
  const answer = await call(api, 'ann', 'DELETE', path(mine.credential_id));
  expect([answer.statusCode, answer.body]).toEqual([204, '']);
  await api.workflows.settled();
  for (const url of [path(mine.credential_id), `/api/entities/${mine.entity_id}`]) {
    expect((await call(api, 'ann', 'GET', url)).statusCode).toBe(404);
  }
  expect((await call(api, 'ann', 'DELETE', path(mine.credential_id))).statusCode).toBe(404);
});

test('one that integrations use is kept, with an error that says so', async () => {
  const mine = await connect(api, 'bea');
  const integration = await integrate('bea', mine.entity_id);
  const answer = await call(api, 'bea', 'DELETE', path(mine.credential_id));
  expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'credential_in_use']);
  expect((await call(api, 'bea', 'GET', path(mine.credential_id))).json()).toMatchObject({ auth_is_valid: true });
  await call(api, 'bea', 'DELETE', integration);
  expect((await call(api, 'bea', 'DELETE', path(mine.credential_id))).statusCode).toBe(204);
});

test('by force its integrations are in ERROR over it, and a new connection puts them back to work', async () => {
  const mine = await connect(api, 'cleo');
  const integration = await integrate('cleo', mine.entity_id);
  expect((await call(api, 'cleo', 'DELETE', path(mine.credential_id, '?force=true'))).statusCode).toBe(204);
  await api.workflows.settled();
  expect((await call(api, 'cleo', 'GET', integration)).json()).toMatchObject({
    status: 'ERROR',
    causes: [{ code: 'credential_deleted', http_status: null, text: expect.stringMatching(/was removed/) as string }],
  });
  expect((await call(api, 'cleo', 'GET', path(mine.credential_id))).json()).toMatchObject({
    auth_is_valid: false,
    verdict: { code: 'credential_deleted' },
  });
  expect(await api.query('SELECT sealed_tokens FROM credentials WHERE id = $1', [mine.credential_id])).toEqual([
    { sealed_tokens: '' },
  ]);
  expect(await connect(api, 'cleo')).toEqual(mine);
  await api.workflows.settled();
  expect((await call(api, 'cleo', 'GET', integration)).json()).toMatchObject({ status: 'ENABLED', causes: [] });
});

test('deleted again without force while it is in use is refused, and tested it is refused too', async () => {
  const mine = await connect(api, 'ben');
  await integrate('ben', mine.entity_id);
  await call(api, 'ben', 'DELETE', path(mine.credential_id, '?force=true'));
  await api.workflows.settled();
  const again = await call(api, 'ben', 'DELETE', path(mine.credential_id));
  expect([again.statusCode, codeOf(again)]).toEqual([409, 'credential_in_use']);
  expect((await call(api, 'ben', 'DELETE', path(mine.credential_id, '?force=true'))).statusCode).toBe(204);
  const tested = await call(api, 'ben', 'POST', `${path(mine.credential_id)}/test`);
  expect([tested.statusCode, codeOf(tested)]).toEqual([409, 'credential_dead']);
  expect(api.workflows.tests.filter(({ input }) => input.credentialId === mine.credential_id)).toEqual([]);
});

test('deleted again it goes for good once nothing uses it', async () => {
  const mine = await connect(api, 'dora');
  const integration = await integrate('dora', mine.entity_id);
  await call(api, 'dora', 'DELETE', path(mine.credential_id, '?force=true'));
  await api.workflows.settled();
  await call(api, 'dora', 'DELETE', integration);
  expect((await call(api, 'dora', 'DELETE', path(mine.credential_id))).statusCode).toBe(204);
  await api.workflows.settled();
  expect((await call(api, 'dora', 'GET', path(mine.credential_id))).statusCode).toBe(404);
  const lines = api.logLines.filter(line => line.includes(`Credential ${mine.credential_id} is `));
  expect(lines).toEqual([
    expect.stringContaining('emptied, and stays for the integrations that use it. attio offers no revocation'),
    expect.stringContaining('removed. It held no tokens any more.'),
  ]);
});

test('20 deletions at once mark it once', async () => {
  const mine = await connect(api, 'eve');
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call(api, 'eve', 'DELETE', path(mine.credential_id))),
  );
  for (const { statusCode } of answers) expect([204, 404]).toContain(statusCode);
  await api.workflows.settled();
  expect(new Set(api.workflows.deletions.filter(id => id.startsWith(mine.credential_id))).size).toBe(1);
  const lines = api.logLines.filter(
    line => line.includes(mine.credential_id) && line.includes('was deleted by its user'),
  );
  expect(lines).toHaveLength(1);
});

test('while Temporal is away it is unusable all the same, and left for the sweep', async () => {
  const mine = await connect(api, 'fay');
  api.workflows.isDown = true;
  expect((await call(api, 'fay', 'DELETE', path(mine.credential_id))).statusCode).toBe(204);
  api.workflows.isDown = false;
  expect((await call(api, 'fay', 'GET', path(mine.credential_id))).json()).toMatchObject({ auth_is_valid: false });
  const unfinished = await api.store.listUnfinishedDeletions(new Date(Date.now() + 1000), 100);
  expect(unfinished.map(({ id }) => id)).toContain(mine.credential_id);
});

test("another user's is not found, and unknown parameters are refused", async () => {
  const mine = await connect(api, 'gus');
  const foreign = await call(api, 'hal', 'DELETE', path(mine.credential_id, '?force=true'));
  expect([foreign.statusCode, codeOf(foreign)]).toEqual([404, 'not_found']);
  for (const query of ['?force=yes', '?now=true']) {
    expect((await call(api, 'gus', 'DELETE', path(mine.credential_id, query))).statusCode).toBe(400);
  }
  expect((await call(api, 'gus', 'GET', path(mine.credential_id))).json()).toMatchObject({ auth_is_valid: true });
});

describe('where the provider revokes', () => {
  let withRevocation: Api;
  beforeAll(async () => {
    withRevocation = await startApi({
      providers: configured => {
        const attio = configured.get('attio');
        const revocationUrl = attio.tokenUrl.replace('/token', '/revoke');
        return [{ ...attio, revocationUrl, configured: { ...attio.configured, revocationUrl: true } }];
      },
    });
    const { reply } = withRevocation.wire;
    withRevocation.wire.reply = (response, request) => {
      if (!request.path.startsWith('/revoke')) return reply(response, request);
      revocations += 1;
      revocation(response, request);
    };
  });
  afterAll(() => withRevocation.close());
  let revocation = replyText(200, '');
  beforeEach(() => {
    revocations = 0;
    revocation = replyText(200, '');
  });

  test('it is revoked with its token, and then removed', async () => {
    const mine = await connect(withRevocation, 'ann');
    await call(withRevocation, 'ann', 'DELETE', path(mine.credential_id));
    await withRevocation.workflows.settled();
    expect(revocations).toBe(1);
    expect((await call(withRevocation, 'ann', 'GET', path(mine.credential_id))).statusCode).toBe(404);
  });

  test('a provider that hangs keeps no caller waiting and no token usable', async () => {
    revocation = hang;
    const mine = await connect(withRevocation, 'bob');
    const answer = await call(withRevocation, 'bob', 'DELETE', path(mine.credential_id));
    expect(answer.statusCode).toBe(204);
    expect((await call(withRevocation, 'bob', 'GET', path(mine.credential_id))).json()).toMatchObject({
      auth_is_valid: false,
      verdict: { code: 'credential_deleted' },
    });
    revocation = replyText(200, '');
    await withRevocation.workflows.settled();
    expect((await call(withRevocation, 'bob', 'GET', path(mine.credential_id))).statusCode).toBe(404);
  }, 25_000);
});
