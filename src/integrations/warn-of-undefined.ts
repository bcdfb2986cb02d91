import type { IntegrationId } from '../domain/ids.js';
import { type GatedRow, gateOf } from './gate-of.js';
import type { IntegrationCatalogue } from './load-integrations.js';

/** Of so many types it is told. */
const mostTold = 1_000;

interface Log {
  warn(fields: Readonly<Record<string, string>>, text: string): void;
}

/**
 * Hears of integrations that have webhooks, and warns once of each type that is not defined: what is held for it waits
 * for an operator, who learns of it here.
 */
export function warnOfUndefined(
  integrations: Pick<IntegrationCatalogue, 'find'>,
  log: Log,
): (row: GatedRow & { readonly id: IntegrationId }) => void {
  const told = new Set<string>();
  return row => {
    const { type, id } = row;
    if (integrations.find(type) !== null || gateOf(integrations, row) !== 'hold') return;
    if (told.has(type) || told.size >= mostTold) return;
    told.add(type);
    log.warn(
      { type, integrationId: id },
      `Webhooks of integrations of the type ${type} are held: no such type is defined here. Load it by RELINK_INTEGRATIONS, or delete what is left of it`,
    );
  };
}
