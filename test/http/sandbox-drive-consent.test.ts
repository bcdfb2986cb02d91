import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { driveConsent } from '../../src/embedded/sandbox/drive-consent.js';
import { parseForm } from '../../src/embedded/sandbox/parse-form.js';
import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { followCallback } from '../support/follow-callback.js';
import { buildAuthorizeUrl, testClient } from '../support/sandbox-client.js';

/** A product in the shape of Relink's own: a start page with one button, then a callback that wants its cookie. */
describe('driving the consent page from a start page', () => {
  let sandbox: Sandbox;
  let product: Server;
  let productUrl: string;
  let posts: { origin: string | undefined; body: string }[] = [];

  beforeAll(async () => {
    product = createServer((req, res) => {
      void (async () => {
        if (req.method === 'GET' && req.url === '/connect/one') {
          res.setHeader('content-type', 'text/html');
          res.end(
            '<form method="get"></form><form method="post"><input type="hidden" name="t" value="a&amp;b"></form>',
          );
        } else if (req.method === 'POST' && req.url === '/connect/one') {
          posts.push({ origin: req.headers.origin, body: await read(req) });
          res.setHeader('set-cookie', ['__Host-attempt=secret; Path=/; Secure; HttpOnly', 'gone=1; Max-Age=0']);
          res.writeHead(303, { location: await buildAuthorizeUrl(sandbox, { state: 'from-product' }) }).end();
        } else if (req.url?.startsWith('/callback?')) {
          res.writeHead(req.headers.cookie === '__Host-attempt=secret' ? 200 : 404).end('arrived');
        } else {
          res.writeHead(404).end();
        }
      })();
    }).listen(0, '127.0.0.1');
    await once(product, 'listening');
    const address = product.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    productUrl = `http://127.0.0.1:${address.port}`;
    sandbox = await startSandbox({ clients: [testClient] });
  });
  beforeEach(() => {
    posts = [];
  });
  afterAll(async () => {
    await sandbox.close();
    product.close();
    product.closeAllConnections();
  });

  test('presses the button once with its origin, and stops before the callback', async () => {
    const { finalUrl } = await driveConsent({ startUrl: `${productUrl}/connect/one`, account: 'acme' });
    expect(posts).toEqual([{ origin: productUrl, body: 't=a%26b' }]);
    expect(new URL(finalUrl).searchParams.get('state')).toBe('from-product');
    expect(new URL(finalUrl).searchParams.has('code')).toBe(true);
  });

  test('the callback is delivered with the cookies gathered for its origin', async () => {
    const { finalUrl, cookies } = await driveConsent({ startUrl: `${productUrl}/connect/one`, account: 'acme' });
    const callback = `${productUrl}/callback${new URL(finalUrl).search}`;
    expect(await followCallback(callback, cookies)).toEqual({ status: 200, location: undefined, body: 'arrived' });
  });

  test('a dead end is named by status and path, without its query', async () => {
    const startUrl = `${productUrl}/nowhere?secret=1`;
    await expect(driveConsent({ startUrl, account: 'acme' })).rejects.toThrow(
      `no form to go on with: 404 at ${productUrl}/nowhere`,
    );
    await expect(driveConsent({ startUrl, account: 'acme' })).rejects.not.toThrow('secret');
  });
});

test('a page without a POST form has no form to answer', () => {
  expect(parseForm('<form action="/a"><input type="hidden" name="x"></form>')).toBeUndefined();
});

async function read(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  return text;
}
