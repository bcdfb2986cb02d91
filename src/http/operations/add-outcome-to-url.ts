import type { SessionId } from '../../domain/ids.js';
import type { AuthorizationAnswer } from './read-outcome.js';

/** The product's own page with the outcome in its query: `attempt`, `status` and, when it failed, `error`. */
export function addOutcomeToUrl(returnUrl: string, attempt: SessionId, answer: AuthorizationAnswer): string {
  const url = new URL(returnUrl);
  url.searchParams.set('attempt', attempt);
  url.searchParams.set('status', answer.kind);
  if (answer.kind === 'failed') url.searchParams.set('error', answer.code);
  else url.searchParams.delete('error');
  return url.href;
}
