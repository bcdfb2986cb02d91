import type { Activities } from '../contracts/activities.js';
import { openTokens } from '../credentials/open-tokens.js';
import { isJudgedByRefresh } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import { identifyAccount } from '../providers/identify-account.js';
import type { Credential } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';

/** One identity call. Only the provider's own 401 is a refusal; everything else that is no answer is an outage. */
export function probeCredential({ store, vault, providers, now }: ActivityDependencies): Activities['probeCredential'] {
  return async ({ credentialId }) => {
    const credential = await store.getCredential(credentialId);
    if (credential === null || credential.verdict?.code === 'credential_deleted') {
      return { outcome: 'gone', httpStatus: null, refreshable: false, authIsValid: false, generation: 0, epoch: 0 };
    }
    const { refreshable, authIsValid, generation, epoch } = credential;
    if (refreshable && mustRefresh(credential, now())) {
      return { outcome: 'refused', httpStatus: null, refreshable, authIsValid, generation, epoch };
    }
    const tokens = openTokens(vault, credential);
    const answer = await identifyAccount(providers.get(credential.provider), tokens);
    switch (answer.kind) {
      case 'ok':
      case 'unusable':
        return { outcome: 'ok', httpStatus: 200, refreshable, authIsValid, generation, epoch };
      case 'refused':
        return { outcome: 'refused', httpStatus: answer.httpStatus, refreshable, authIsValid, generation, epoch };
      case 'rate_limited':
        throw new RelinkError('rate_limited', credential.provider, { retryAfterMs: answer.retryAfterMs ?? undefined });
      case 'unavailable':
        throw new RelinkError('provider_unavailable', `${credential.provider}: ${answer.reason}`);
    }
  };
}

function mustRefresh(credential: Credential, now: Date): boolean {
  const { expiresAt } = credential;
  return isJudgedByRefresh(credential) || (expiresAt !== null && expiresAt <= now);
}
