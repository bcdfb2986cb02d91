import { isHostPattern, matchesHost } from '../../../src/providers/match-host.js';

describe('a host pattern', () => {
  test.each([
    ['accounts.zoho.eu', 'accounts.zoho.eu', true],
    ['Accounts.Zoho.EU', 'accounts.zoho.eu', true],
    ['accounts.zoho.eu', 'accounts.zoho.eu.', false],
    ['accounts.zoho.eu', 'accounts.zoho.eu.evil.test', false],
    ['accounts.zoho.eu', 'xaccounts.zoho.eu', false],
    ['accounts.zoho.eu', 'accounts.zoho.eu:8443', false],
    ['127.0.0.1:3000', '127.0.0.1:3000', true],
    ['127.0.0.1:3000', '127.0.0.1:3001', false],
    ['*.pipedrive.com', 'acme.pipedrive.com', true],
    ['*.pipedrive.com', 'pipedrive.com', false],
    ['*.pipedrive.com', '.pipedrive.com', false],
    ['*.pipedrive.com', 'a.b.pipedrive.com', false],
    ['*.pipedrive.com', 'acme.pipedrive.com:8443', false],
    ['*.pipedrive.com', 'acme.pipedrive.com.evil.test', false],
    ['*.pipedrive.com', 'acmepipedrive.com', false],
    ['*.pipedrive.com:8443', 'acme.pipedrive.com:8443', true],
  ])('%s and the host %s: %s', (pattern, host, expected) => {
    expect(matchesHost(pattern, host)).toBe(expected);
  });

  test.each(['accounts.zoho.eu', '*.pipedrive.com', '127.0.0.1:3000', 'localhost:3000', '[::1]:3000'])(
    '%s is one',
    pattern => expect(isHostPattern(pattern)).toBe(true),
  );

  test.each(['', '*', '*.com', '*.*.com', 'a.*.com', 'https://a.test', 'a.test/path', 'a b', 'user@a.test', 'a.test:'])(
    '%j is none',
    pattern => expect(isHostPattern(pattern)).toBe(false),
  );
});
