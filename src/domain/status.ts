import type { Cause } from './cause.js';

export const integrationStatuses = [
  'IN_CREATION',
  'ENABLED',
  'NEEDS_CONFIG',
  'PROCESSING',
  'ERROR',
  'DISABLED',
  'IN_DELETION',
] as const;
export type IntegrationStatus = (typeof integrationStatuses)[number];

/** How far an integration's own life has come, apart from its connections. */
export const lifecycles = ['creating', 'needs_config', 'processing', 'ready', 'deleting'] as const;
export type Lifecycle = (typeof lifecycles)[number];

/** What the user wants: running, or paused with its settings kept. */
export const intents = ['on', 'paused'] as const;
export type Intent = (typeof intents)[number];

/**
 * The one place a status comes from. It is stored beside the three things it is computed from, in the same write;
 * the database checks the same rule, so an ERROR without a cause cannot be written.
 */
export function computeStatus(lifecycle: Lifecycle, intent: Intent, causes: readonly Cause[]): IntegrationStatus {
  switch (lifecycle) {
    case 'deleting':
      return 'IN_DELETION';
    case 'creating':
      return 'IN_CREATION';
    case 'processing':
      return 'PROCESSING';
    case 'needs_config':
      return intent === 'paused' ? 'DISABLED' : 'NEEDS_CONFIG';
    case 'ready':
      if (intent === 'paused') return 'DISABLED';
      return causes.length > 0 ? 'ERROR' : 'ENABLED';
  }
}
