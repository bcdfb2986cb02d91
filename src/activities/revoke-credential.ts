import type { Activities } from '../contracts/activities.js';
import { openTokens } from '../credentials/open-tokens.js';
import { RelinkError } from '../errors.js';
import { revokeGrant } from '../providers/revoke-grant.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Only what is still deleted at this epoch is revoked: after a reconnect the row holds another grant, and at some
 * providers revoking the old one would take the new one with it.
 */
export function revokeCredential(dependencies: ActivityDependencies): Activities['revokeCredential'] {
  const { store, vault, providers, now } = dependencies;
  return async ({ credentialId, epoch }) => {
    const credential = await store.getCredential(credentialId);
    if (credential?.epoch !== epoch || credential.verdict?.code !== 'credential_deleted') {
      return { outcome: 'overtaken' };
    }
    if (credential.sealedTokens === '') return { outcome: 'not_offered' };
    const answer = await asking(credential.provider, () => {
      const tokens = openTokens(vault, credential);
      return revokeGrant(providers.get(credential.provider), tokens, { now });
    });
    switch (answer.kind) {
      case 'revoked':
      case 'not_offered':
      case 'refused':
        return { outcome: answer.kind };
      case 'client_rejected':
        throw new RelinkError('client_rejected', credential.provider, { retryable: true });
      case 'unavailable':
        throw new RelinkError('provider_unavailable', `${credential.provider}: ${answer.reason}`, {
          ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }),
        });
    }
  };
}

/** A key or a setting that this worker lacks is the operator's to give: the revocation waits for it. */
async function asking<Result>(provider: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RelinkError) || error.retryable) throw error;
    throw new RelinkError(error.code, error.detail ?? provider, { cause: error, retryable: true });
  }
}
