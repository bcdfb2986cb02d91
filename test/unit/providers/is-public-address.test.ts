import { isLoopbackAddress, isPublicAddress } from '../../../src/providers/is-public-address.js';

describe('an address on the public internet', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('%s', address => expect(isPublicAddress(address)).toBe(true));
});

describe('an address that is not public', () => {
  test.each([
    ['unspecified', '0.0.0.0'],
    ['unspecified network', '0.1.2.3'],
    ['loopback', '127.0.0.1'],
    ['loopback, other end', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['link-local: cloud metadata', '169.254.169.254'],
    ['CGNAT', '100.64.0.1'],
    ['CGNAT, other end', '100.127.255.254'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['benchmarking', '198.18.0.1'],
    ['documentation', '192.0.2.1'],
    ['IPv6 unspecified', '::'],
    ['IPv6 loopback', '::1'],
    ['IPv6 loopback in brackets', '[::1]'],
    ['IPv6 unique local', 'fc00::1'],
    ['IPv6 unique local', 'fd12:3456::1'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0'],
    ['IPv6 site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped private', '::ffff:10.0.0.1'],
    ['IPv4-mapped private in hexadecimal', '::ffff:a00:1'],
    ['IPv4-compatible', '::10.0.0.1'],
    ['NAT64 of a private address', '64:ff9b::a00:1'],
    ['NAT64 local use', '64:ff9b:1::808:808'],
    ['6to4', '2002:a00:1::1'],
    ['Teredo', '2001::1'],
    ['not an address', 'example.com'],
    ['nothing', ''],
  ])('%s: %s', (_kind, address) => expect(isPublicAddress(address)).toBe(false));
});

describe('loopback', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', '::ffff:127.0.0.1'])('%s is', address =>
    expect(isLoopbackAddress(address)).toBe(true),
  );
  test.each(['10.0.0.1', '169.254.169.254', '0.0.0.0', '8.8.8.8', 'localhost', '127.evil.test'])('%s is not', address =>
    expect(isLoopbackAddress(address)).toBe(false),
  );
});
