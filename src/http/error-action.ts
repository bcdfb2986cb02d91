import { errorRegistry, type ErrorCode } from '../errors.js';

export const errorActions = ['connect_again', 'wait', 'operator'] as const;
export type ErrorAction = (typeof errorActions)[number];

/** What only the operator can mend: connecting again would end the same way. */
const forOperator: readonly ErrorCode[] = [
  'provider_unknown',
  'provider_not_configured',
  'client_rejected',
  'identity_unusable',
  'secret_unreadable',
];

/** What the product should tell its user to do about an attempt that failed. */
export function errorAction(code: ErrorCode): ErrorAction {
  if (forOperator.includes(code)) return 'operator';
  return errorRegistry[code].retryable ? 'wait' : 'connect_again';
}
