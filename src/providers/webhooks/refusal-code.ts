import type { ErrorCode } from '../../errors.js';

/** Why a webhook is not taken in. */
export type RefusalCode = Extract<
  ErrorCode,
  'webhook_signature_missing' | 'webhook_signature_wrong' | 'webhook_signature_stale' | 'webhook_secret_missing'
>;
