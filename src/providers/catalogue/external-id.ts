import { z } from 'zod';
import type { ExternalId } from '../../domain/ids.js';

/** An identifier as providers send them: a string, or a number that survived JSON unchanged. */
export const externalIdSchema = z
  .union([z.string().min(1).max(200), z.int().nonnegative()])
  .transform(value => String(value) as ExternalId);

/** A name for people; anything unusable counts as none, since it never decides anything. */
export const accountNameSchema = z.string().min(1).max(500).nullable().catch(null);

/** One key out of several ids, for providers whose user ids are unique only together with the account's. */
export function combineIds(account: ExternalId, user: ExternalId): ExternalId {
  return `${account}:${user}` as ExternalId;
}
