import type { z } from 'zod';
import type { Integration } from '../../store/port/store.js';
import type { integrationAnswer } from '../schemas/answers.js';

export function presentIntegration(integration: Integration): z.output<typeof integrationAnswer> {
  return {
    id: integration.id,
    type: integration.type,
    status: integration.status,
    entities: [...integration.entityIds],
    config: { ...integration.config },
    causes: integration.state.causes.map(cause => ({
      credential_id: cause.credentialId,
      provider: cause.provider,
      kind: cause.kind,
      code: cause.code,
      http_status: cause.httpStatus,
      text: cause.text,
      since: cause.since,
    })),
    status_since: integration.statusSince.toISOString(),
    created_at: integration.createdAt.toISOString(),
    updated_at: integration.updatedAt.toISOString(),
  };
}
