import { ConfigError, RelinkError } from '../../../src/errors.js';
import { checkReturnUrl, parseReturnUrlRules } from '../../../src/http/operations/return-urls.js';

const rules = parseReturnUrlRules([
  'https://app.example.com',
  'https://other.example.com/settings',
  'https://slash.example.com/done/',
  'https://port.example.com:8443',
  'http://localhost:5173',
  'http://[::1]:5173',
]);

test.each([
  'https://app.example.com',
  'https://app.example.com/',
  'https://app.example.com/any/path?with=query#and-fragment',
  'HTTPS://APP.EXAMPLE.COM/x',
  'https://app.example.com:443/x',
  'https://other.example.com/settings',
  'https://other.example.com/settings?tab=1',
  'https://other.example.com/settings/deep/er',
  'https://slash.example.com/done/x',
  'https://port.example.com:8443/x',
  'http://localhost:5173/x',
  'http://[::1]:5173/x',
])('%s is allowed', url => {
  expect(checkReturnUrl(rules, url)).toBe(new URL(url).href);
});

test.each([
  'https://app.example.com.evil.test/',
  'https://evil.test/https://app.example.com',
  'https://app.example.com@evil.test/',
  'https://user@app.example.com/',
  'https://:secret@app.example.com/',
  'http://app.example.com/',
  'https://app.example.com:8443/',
  'https://sub.app.example.com/',
  'https://example.com/',
  'https://other.example.com/',
  'https://other.example.com/settingsevil',
  'https://other.example.com/settings/../admin',
  'https://other.example.com/settings/%2e%2e/admin',
  'https://other.example.com/settings/..%2fadmin',
  'https://other.example.com/settings/..%5Cadmin',
  'https://slash.example.com/done',
  'https://port.example.com/',
  'http://localhost/',
  'http://127.0.0.1:5173/',
  'javascript:alert(1)',
  'data:text/html,x',
  '//app.example.com/',
  '/relative',
  '\\\\app.example.com',
  'https:\\\\app.example.com\\x',
  ' https://app.example.com/',
  'https://app.exam\tple.com/',
  'https://app.example.com/\nx',
  '',
  `https://app.example.com/${'x'.repeat(2048)}`,
])('%j is refused', url => {
  const check = () => checkReturnUrl(rules, url);
  expect(check).toThrow(RelinkError);
  expect(check).toThrow(expect.objectContaining({ code: 'return_url_not_allowed' }) as Error);
});

test('without an allow-list nothing is allowed', () => {
  expect(() => checkReturnUrl([], 'https://app.example.com/')).toThrow(RelinkError);
});

test.each([
  'http://app.example.com',
  'https://*.example.com/?x=1',
  'https://app.example.com/#x',
  'https://user@app.example.com',
  'app.example.com',
  'ftp://app.example.com',
])('the entry %s is refused at start, by its position', entry => {
  const parse = () => parseReturnUrlRules(['https://app.example.com', entry]);
  expect(parse).toThrow(ConfigError);
  expect(parse).toThrow('RELINK_RETURN_URLS, entry 2 of 2, must be');
  expect(parse).not.toThrow(entry);
});
