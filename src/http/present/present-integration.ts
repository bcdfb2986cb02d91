import type { z } from 'zod';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import { findConfigIssues } from '../../integrations/settle-config.js';
import type { Integration } from '../../store/port/store.js';
import type { integrationAnswer } from '../schemas/answers.js';

export function presentIntegration(
  integrations: IntegrationCatalogue,
  integration: Integration,
): z.output<typeof integrationAnswer> {
  const { state, type, config } = integration;
  return {
    id: integration.id,
    type,
    status: integration.status,
    entities: [...integration.entityIds],
    config: { ...config },
    config_issues: [...findConfigIssues(state, integrations.find(type), config)],
    causes: state.causes.map(cause => ({
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
