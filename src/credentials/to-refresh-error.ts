import { judgeStanding } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import type { Credential } from '../store/port/store.js';
import { operatorWaitMs, type RefreshOutcome } from './credential-refresher.js';

/**
 * What a refresh that brought no token is to whoever waits for one.
 *
 * @param after The credential as it stands after it.
 */
export function toRefreshError(
  outcome: Exclude<RefreshOutcome, { kind: 'refreshed' }>,
  after: Credential,
): RelinkError {
  switch (outcome.kind) {
    case 'dead':
    case 'gone':
    case 'not_refreshable':
      return new RelinkError('credential_dead', after.id);
    case 'pending':
    case 'operator_fault': {
      if (judgeStanding(after) === 'client_rejected') return new RelinkError('client_rejected', after.provider);
      const retryAfterMs = outcome.kind === 'pending' ? outcome.retryAfterMs : operatorWaitMs;
      return new RelinkError('refresh_pending', after.provider, { retryAfterMs });
    }
  }
}
