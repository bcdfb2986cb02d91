import type { IntegrationId } from '../domain/ids.js';

/** Of so many types it is told. */
const mostTold = 1_000;

interface Log {
  warn(fields: Readonly<Record<string, string>>, text: string): void;
}

/** Once for each type: what is held for it waits for an operator, who learns of it here. */
export function warnOfUndefined(log: Log): (type: string, id: IntegrationId) => void {
  const told = new Set<string>();
  return (type, integrationId) => {
    if (told.has(type) || told.size >= mostTold) return;
    told.add(type);
    log.warn(
      { type, integrationId },
      `Webhooks of integrations of the type ${type} are held: no such type is defined here. Load it by RELINK_INTEGRATIONS, or delete what is left of it`,
    );
  };
}
