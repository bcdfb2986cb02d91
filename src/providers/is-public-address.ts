import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Global unicast is all of 2000::/3 that has no special purpose (RFC 4291 section 2.4, IANA's registry). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
/** What DNS64 answers in networks without IPv4 (RFC 6052): the last four bytes are the real address. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

function parseAddress(value: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const literal = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
  // `process` turns an IPv4-mapped IPv6 address into the IPv4 address that is meant.
  return isIP(literal) === 0 ? null : ipaddr.process(literal);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address instanceof ipaddr.IPv4) return address.range() === 'unicast';
  if (address.match(nat64)) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(12)));
  return address.range() === 'unicast' && address.match(globalUnicast);
}

/**
 * Whether an IP address is on the public internet: not private, loopback, link-local, shared (CGNAT), multicast,
 * reserved, nor one of those in IPv6 clothing. False for anything that is not an address.
 */
export function isPublicAddress(value: string): boolean {
  const address = parseAddress(value);
  return address !== null && isPublic(address);
}

/** 127.0.0.0/8 or ::1, also as an IPv4-mapped IPv6 address. */
export function isLoopbackAddress(value: string): boolean {
  return parseAddress(value)?.range() === 'loopback';
}
