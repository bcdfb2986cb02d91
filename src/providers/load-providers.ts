import { ConfigError, RelinkError } from '../errors.js';
import { catalogue } from './catalogue/index.js';
import { configureProvider, type Provider, type ProviderSettings } from './configure-provider.js';
import { variableName } from './variable-name.js';

/** The providers that can be used, which are the ones with settings. */
export interface ProviderCatalogue {
  /** Throws RelinkError `provider_unknown` (no definition) or `provider_not_configured` (no settings). */
  get(id: string): Provider;
  list(): readonly Provider[];
}

/** Builds the catalogue from settings by provider id. Throws ConfigError for every provider at once. */
export function loadProviders(settings: Readonly<Record<string, ProviderSettings>>): ProviderCatalogue {
  const providers = new Map<string, Provider>();
  const problems: string[] = [];
  for (const [id, values] of Object.entries(settings)) {
    const definition = catalogue.get(id);
    if (definition === undefined) {
      problems.push(
        `${variableName(id, '*')} name no provider of the catalogue; there are: ${[...catalogue.keys()].join(', ')}`,
      );
      continue;
    }
    try {
      providers.set(id, configureProvider(definition, values));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);

  return {
    get: id => {
      const provider = providers.get(id);
      if (provider !== undefined) return provider;
      if (!catalogue.has(id)) throw new RelinkError('provider_unknown');
      throw new RelinkError(
        'provider_not_configured',
        `${variableName(id, 'CLIENT_ID')} and ${variableName(id, 'CLIENT_SECRET')}`,
      );
    },
    list: () => [...providers.values()],
  };
}
