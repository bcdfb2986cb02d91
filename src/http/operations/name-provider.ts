import type { ProviderCatalogue } from '../../providers/load-providers.js';

/** The provider's name as people know it; its id when it is not configured any more. */
export function nameProvider(providers: ProviderCatalogue, id: string): string {
  return providers.list().find(provider => provider.id === id)?.name ?? id;
}
