import type { IntegrationCatalogue } from './load-integrations.js';

/** For the line a process starts with: whoever set RELINK_INTEGRATIONS sees that it was read. */
export function listTypes(integrations: IntegrationCatalogue): string {
  return integrations
    .list()
    .map(({ type }) => type)
    .join(', ');
}
