import { deliverTo } from '../support/e2e/deliver-to.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { untilRestored } from '../support/e2e/scenes.js';
import {
  adopterRedirect,
  type E2eServer,
  type E2eStack,
  returnUrl,
  startE2eStack,
} from '../support/e2e/start-e2e-stack.js';

let stack: E2eStack;
let servers: readonly E2eServer[];

/** Twice to each server, at once. */
const deliverEverywhere = (consent: Parameters<typeof deliverTo>[1]) =>
  Promise.all([...servers, ...servers].map(server => deliverTo(server.url, consent)));

const distinct = (values: readonly unknown[]) => [...new Set(values.map(value => JSON.stringify(value)))];

describe.each(e2eStores('repeated callbacks'))('the same callback, several times, on %s', store => {
  beforeAll(async () => {
    stack = await startE2eStack({ store });
    servers = [await stack.startServer(), await stack.startServer()];
    await stack.startWorker();
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  it('exchanges once when it comes again later, and answers the same from every server', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    const answers: unknown[] = [];
    const requests = await stack.sandbox.countTokenRequests(async () => {
      for (const server of [...servers, ...servers]) answers.push(await deliverTo(server.url, consent));
    });
    expect(requests).toBe(1);
    expect(distinct(answers)).toHaveLength(1);
    expect(answers[0]).toMatchObject({ status: 200 });
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ generation: 1 }]);
  });

  it('exchanges once when it comes to two servers at once, and all get the same answer', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    // Long enough for every one of them to arrive during the exchange.
    await stack.sandbox.fault({ endpoint: 'token', delayMs: 400, count: 1 });
    let answers: Awaited<ReturnType<typeof deliverEverywhere>> = [];
    const requests = await stack.sandbox.countTokenRequests(async () => (answers = await deliverEverywhere(consent)));
    expect(requests).toBe(1);
    expect(distinct(answers)).toHaveLength(1);
    expect(answers[0]?.status).toBe(200);
    await untilRestored(user, consent.attempt);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ generation: 1 }]);
    expect((await user.get('/api/entities')).body.data).toHaveLength(1);
  });

  it('sends every browser to the same place', async () => {
    const user = stack.user();
    const consent = await user.consent('acme', { returnUrl });
    await stack.sandbox.fault({ endpoint: 'token', delayMs: 300, count: 1 });
    const answers = await deliverEverywhere(consent);
    expect(distinct(answers)).toHaveLength(1);
    expect(answers[0]?.status).toBe(303);
    expect(answers[0]?.location).toMatch(/^https:\/\/app\.example\.com\/done\?/);
  });

  it('holds for the product’s own callback page too', async () => {
    const user = stack.user();
    const { finalUrl, attempt } = await user.consent('acme', { redirectUri: adopterRedirect });
    const data = Object.fromEntries(new URL(finalUrl).searchParams);
    await stack.sandbox.fault({ endpoint: 'token', delayMs: 300, count: 1 });
    const deliver = async (server: E2eServer) => {
      const response = await fetch(`${server.url}/api/authorize`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${user.apiKey}`,
          'relink-user': user.userId,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ entityType: 'sandbox', data }),
      });
      return { status: response.status, body: await response.text() };
    };
    let answers: { status: number; body: string }[] = [];
    const requests = await stack.sandbox.countTokenRequests(async () => {
      answers = await Promise.all([...servers, ...servers].map(deliver));
    });
    expect(requests).toBe(1);
    expect(distinct(answers)).toHaveLength(1);
    expect(answers[0]?.status).toBe(200);
    await untilRestored(user, attempt);
  });

  it('tells all of them the same when the exchange is refused, and stores nothing', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await stack.sandbox.fault({
      endpoint: 'token',
      status: 400,
      body: { error: 'invalid_grant' },
      delayMs: 300,
      count: 1,
    });
    let answers: Awaited<ReturnType<typeof deliverEverywhere>> = [];
    const requests = await stack.sandbox.countTokenRequests(async () => (answers = await deliverEverywhere(consent)));
    expect(requests).toBe(1);
    expect(answers.map(answer => answer.status)).toEqual([502, 502, 502, 502]);
    for (const { body } of answers) expect(JSON.parse(body)).toMatchObject({ error: { code: 'exchange_refused' } });
    expect((await user.get('/api/credentials')).body.data).toEqual([]);
  });
});
