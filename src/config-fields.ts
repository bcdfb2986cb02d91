import { isIP } from 'node:net';
import { z } from 'zod';
import { readSigningKey } from './vault/read-signing-key.js';
import { Secret } from './vault/secret.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export const seconds = (fallback: number) => z.coerce.number().positive().max(86_400).default(fallback);
const splitList = (value: string) =>
  value
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
export const list = z.string().default('').transform(splitList);
/** Stays undefined when unset: an optional `list` would be empty, and empty scopes replace a provider's own. */
export const listWhenSet = z.string().transform(splitList).optional();
export const secretList = list.transform(values => values.map(value => new Secret(value)));
export const signingSecrets = secretList.refine(
  secrets => secrets.every(secret => readSigningKey(secret) !== null),
  'must be whsec_ and the base64 of 24 to 64 bytes, comma-separated',
);
export const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']);
export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .default('false')
  .transform(value => value === 'true');
/** What Temporal's runtime can listen on: no host names. */
export const metricsAddress = z.string().refine(value => {
  const [, ip = '', port = ''] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(value) ?? [];
  return isIP(ip) !== 0 && (isIP(ip) === 6) === value.startsWith('[') && Number(port) > 0 && Number(port) < 65_536;
}, 'must be an IP address and a port, such as 127.0.0.1:9464');
export const milliseconds = list
  .transform(items => items.map(Number))
  .pipe(z.array(z.number().int().min(0).max(3_600_000)));
