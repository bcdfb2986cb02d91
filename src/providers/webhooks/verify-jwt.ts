import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../parse-json.js';
import type { Secret } from '../../vault/secret.js';
import { decodeSignature } from './decode-signature.js';
import type { RefusalCode } from './refusal-code.js';

/** `crit` names extensions that must be understood (RFC 7515 section 4.1.11); none is here. */
const headerSchema = z.object({ alg: z.literal('HS256'), crit: z.undefined().optional() });
const claimsSchema = z.object({ exp: z.number().optional(), nbf: z.number().optional() });
const leewaySeconds = 60;

/**
 * A compact JWS with HS256 (RFC 7515, RFC 7519 sections 4.1.4 and 4.1.5) by one of the shared secrets. Written out
 * because it has to be synchronous on the intake's path; any other algorithm is refused before a key is touched.
 */
export function verifyJwt(header: string | null, secrets: readonly Secret[], now: Date): RefusalCode | null {
  if (header === null) return 'webhook_signature_missing';
  const [protectedText = '', claimsText = '', signatureText = '', ...rest] = header
    .replace(/^Bearer +/i, '')
    .split('.');
  if (rest.length > 0 || !headerSchema.safeParse(decode(protectedText)).success) return 'webhook_signature_wrong';
  const presented = decodeSignature(signatureText, 'base64url');
  if (presented === null) return 'webhook_signature_wrong';
  let verified = false;
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret.reveal()).update(`${protectedText}.${claimsText}`).digest();
    if (presented.length === expected.length && timingSafeEqual(presented, expected)) verified = true;
  }
  if (!verified) return 'webhook_signature_wrong';
  const claims = claimsSchema.safeParse(decode(claimsText));
  if (!claims.success) return 'webhook_signature_wrong';
  const at = now.getTime() / 1000;
  const { exp = Infinity, nbf = -Infinity } = claims.data;
  return at > exp + leewaySeconds || at < nbf - leewaySeconds ? 'webhook_signature_stale' : null;
}

const decode = (text: string): unknown => parseJson(Buffer.from(text, 'base64url').toString('utf8'));
