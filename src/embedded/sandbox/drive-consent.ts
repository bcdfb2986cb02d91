import { request } from 'undici';
import { CookieJar } from './cookie-jar.js';
import { parseForm, type PageForm } from './parse-form.js';

const maxSteps = 15;
const timeoutMs = 15_000;

interface Page {
  readonly url: URL;
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

/**
 * Does what a person does: opens the start page (or the provider's authorize address), presses its button, chooses the
 * account and decides. Stops at the first redirect that carries `code` or `error` in its query, without following it,
 * so that the caller can deliver that callback itself, once, twice or not at all.
 *
 * @param options.account A login of the sandbox; see accounts.ts.
 * @param options.cookies A jar to go on with; a new one unless given.
 * @returns The callback's URL, and the jar that must accompany it.
 * @throws Error naming status and path where the chain ends elsewhere. Never holds a query: it may carry secrets.
 */
export async function driveConsent(options: {
  readonly startUrl: string;
  readonly account: string;
  readonly decision?: 'allow' | 'deny';
  readonly cookies?: CookieJar;
}): Promise<{ finalUrl: string; cookies: CookieJar }> {
  const { account, decision = 'allow', cookies = new CookieJar() } = options;
  let page = await send('GET', new URL(options.startUrl), cookies);
  for (let step = 0; step < maxSteps; step += 1) {
    if (page.location !== undefined) {
      const next = new URL(page.location, page.url);
      if (next.searchParams.has('code') || next.searchParams.has('error')) return { finalUrl: next.href, cookies };
      page = await send('GET', next, cookies);
      continue;
    }
    const form = page.status === 200 ? parseForm(page.body) : undefined;
    if (!form) throw new Error(`no form to go on with: ${page.status} at ${page.url.origin}${page.url.pathname}`);
    const target = new URL(form.action === '' ? page.url : form.action, page.url);
    page = await send('POST', target, cookies, fillForm(form, account, decision));
  }
  throw new Error(`no callback after ${maxSteps} steps`);
}

function fillForm(form: PageForm, account: string, decision: 'allow' | 'deny'): URLSearchParams {
  const fields = new URLSearchParams([...form.hidden]);
  const accounts = form.choices.get('account');
  if (!accounts) return fields;
  if (decision === 'allow') {
    if (!accounts.includes(account)) throw new Error(`the consent page offers no account ${account}`);
    fields.set('account', account);
  }
  fields.set('decision', decision);
  return fields;
}

async function send(method: 'GET' | 'POST', url: URL, cookies: CookieJar, form?: URLSearchParams): Promise<Page> {
  const cookie = cookies.headerFor(url);
  const response = await request(url, {
    method,
    headers: {
      accept: 'text/html,application/json;q=0.9',
      ...(cookie === undefined ? {} : { cookie }),
      ...(form === undefined
        ? {}
        : { origin: url.origin, 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }),
    },
    ...(form === undefined ? {} : { body: form.toString() }),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const { 'set-cookie': setCookie, location } = response.headers;
  if (setCookie !== undefined) cookies.store(url, typeof setCookie === 'string' ? [setCookie] : setCookie);
  const isRedirect = response.statusCode >= 300 && response.statusCode < 400;
  return {
    url,
    status: response.statusCode,
    location: isRedirect && typeof location === 'string' ? location : undefined,
    body: await response.body.text(),
  };
}
