import type { ProviderDefinition } from '../definition.js';
import { attio } from './attio.js';
import { pipedrive } from './pipedrive.js';
import { sandbox } from './sandbox.js';
import { zoho } from './zoho.js';

/** Every provider there is a definition for, by its id. */
export const catalogue: ReadonlyMap<string, ProviderDefinition> = new Map(
  [attio, pipedrive, sandbox, zoho].map(definition => [definition.id, definition]),
);
