import { prefersHtml } from '../../../src/http/prefers-html.js';

const asking = (accept: string | undefined) => prefersHtml({ headers: { accept } });

test.each([
  'text/html',
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'TEXT/HTML; q=1, application/json; q=0.5',
  'application/json;q=0, text/html;q=0.1',
  'text/*, application/json;q=0.9',
])('a page for %s', accept => {
  expect(asking(accept)).toBe(true);
});

test.each([
  undefined,
  '',
  '*/*',
  'application/json',
  'application/json, text/html',
  'application/json, text/plain, */*',
  'text/html;q=0.4, application/json;q=0.5',
  'text/html;q=0',
  'text/html;q=nonsense',
])('JSON for %s', accept => {
  expect(asking(accept)).toBe(false);
});
