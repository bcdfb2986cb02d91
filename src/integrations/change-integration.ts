import { setTimeout as sleep } from 'node:timers/promises';
import type { IntegrationId } from '../domain/ids.js';
import type { IntegrationState } from '../domain/integration-state.js';
import { RelinkError } from '../errors.js';

/** What a change needs to see of an integration's row. */
export interface ChangeableIntegration {
  readonly id: IntegrationId;
  readonly config: Readonly<Record<string, unknown>>;
  readonly state: IntegrationState;
  readonly resumeSince?: Date | null;
  readonly version: number;
}

/** What a transition makes of a row: its next state, and with it, where given, since when it has to make up. */
export type Transition = IntegrationState | { readonly state: IntegrationState; readonly resumeSince: Date | null };

/** The two calls of the store port that a change makes. */
export interface IntegrationRows<Row extends ChangeableIntegration> {
  getIntegration(id: IntegrationId): Promise<Row | null>;
  compareAndSetIntegration(
    id: IntegrationId,
    version: number,
    change: {
      readonly state: IntegrationState;
      readonly config?: Readonly<Record<string, unknown>>;
      readonly resumeSince?: Date | null;
    },
    now: Date,
  ): Promise<Row | null>;
}

const maxTries = 20;

/**
 * Reads the row, applies the transition and writes the result while the row is still the one that was read; else
 * starts over. The transition may run several times and must change nothing. What it reads is read after the row: should that
 * change meanwhile in a way that matters to the row, the row's version changes too, and the write is refused. Returning the very same state writes nothing,
 * and then `before === after`.
 *
 * @param config Written together with the state, when given.
 * @returns null when the integration is gone.
 * @throws RelinkError `write_conflict` when other writers were faster 20 times in a row; whatever `transition` throws.
 */
export async function changeIntegration<Row extends ChangeableIntegration>(
  store: IntegrationRows<Row>,
  id: IntegrationId,
  transition: (state: IntegrationState, integration: Row) => Transition | Promise<Transition>,
  now: () => Date,
  config?: Readonly<Record<string, unknown>>,
): Promise<{ readonly before: Row; readonly after: Row } | null> {
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const before = await store.getIntegration(id);
    if (before === null) return null;
    const result = await transition(before.state, before);
    if (result === before.state && config === undefined) return { before, after: before };
    const change = { ...('state' in result ? result : { state: result }), ...(config && { config }) };
    const after = await store.compareAndSetIntegration(id, before.version, change, now());
    if (after !== null) return { before, after };
    // Losing means that somebody else got on; a spread wait keeps many losers from meeting again at once.
    await sleep(Math.random() * 5 * tries);
  }
  throw new RelinkError('write_conflict', id);
}
