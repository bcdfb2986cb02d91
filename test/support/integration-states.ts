import type { CredentialId, ProviderId } from '../../src/domain/ids.js';
import type { IntegrationState } from '../../src/domain/integration-state.js';

export const alive: IntegrationState = { lifecycle: 'ready', intent: 'on', causes: [], epochs: {} };

/** Since when the states' one credential is dead. */
export const deadSince = '2026-11-23T12:00:00.000Z';
export const dead: IntegrationState = {
  ...alive,
  causes: [
    {
      credentialId: 'cred_1' as CredentialId,
      epoch: 2,
      provider: 'attio' as ProviderId,
      kind: 'oauth2',
      code: 'credential_refused',
      httpStatus: 401,
      text: '',
      since: deadSince,
    },
  ],
};
