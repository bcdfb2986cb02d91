import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { RelinkError } from '../errors.js';
import { builtInIntegrations } from './built-in.js';
import type { IntegrationDefinition } from './definition.js';

export interface IntegrationCatalogue {
  /** @throws RelinkError `integration_type_unknown`. */
  get(type: string): IntegrationDefinition;
  /** Null when no such type is defined, as for a row whose type was removed since. */
  find(type: string): IntegrationDefinition | null;
  list(): readonly IntegrationDefinition[];
}

/**
 * The built-in types and those of the adopter's module, a CommonJS or ES module whose `default` or `integrations`
 * export is an array of IntegrationDefinition.
 *
 * @param modulePath Relative to the working directory; only the built-in types without it.
 * @throws Error that says which module, or which of its definitions, is wrong and how.
 */
export function loadIntegrations(modulePath?: string): IntegrationCatalogue {
  const definitions = new Map<string, IntegrationDefinition>();
  const own = modulePath === undefined ? [] : readModule(resolve(modulePath));
  for (const definition of [...builtInIntegrations, ...own]) {
    if (definitions.has(definition.type)) {
      throw new Error(`${modulePath}: the integration type ${definition.type} is defined twice`);
    }
    definitions.set(definition.type, definition);
  }
  return {
    get(type) {
      const definition = definitions.get(type);
      if (definition === undefined) throw new RelinkError('integration_type_unknown');
      return definition;
    },
    find: type => definitions.get(type) ?? null,
    list: () => [...definitions.values()],
  };
}

function readModule(path: string): IntegrationDefinition[] {
  let loaded: unknown;
  try {
    // Loads ES modules too (Node 20.19 and newer), unless they use top-level await.
    loaded = createRequire(__filename)(path);
  } catch (error) {
    throw new Error(`RELINK_INTEGRATIONS: ${path} cannot be loaded: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
  const list = findList(loaded);
  if (list === null) {
    throw new Error(`RELINK_INTEGRATIONS: ${path} must export an array, as \`default\` or as \`integrations\``);
  }
  return list.map((value, index) => {
    const problem = findProblem(value);
    if (problem !== null) throw new Error(`RELINK_INTEGRATIONS: ${path}: definition ${index + 1}: ${problem}`);
    return value as IntegrationDefinition;
  });
}

function findList(loaded: unknown): readonly unknown[] | null {
  if (Array.isArray(loaded)) return loaded as readonly unknown[];
  if (typeof loaded !== 'object' || loaded === null) return null;
  for (const name of ['default', 'integrations']) {
    const value: unknown = Reflect.get(loaded, name);
    if (Array.isArray(value)) return value as readonly unknown[];
  }
  return null;
}

function findProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'is not an object';
  const { type, name, providers, config } = value as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(type)) {
    return '`type` must be 1 to 64 lower-case letters, digits and hyphens, a letter first';
  }
  if (typeof name !== 'string' || name === '') return '`name` must be a text';
  const named = Array.isArray(providers) && providers.every(provider => typeof provider === 'string');
  if (providers !== 'any' && !named) return "`providers` must be 'any' or an array of provider names";
  // By shape and not by class: the adopter's module may bring its own copy of zod.
  const parses = typeof config === 'object' && config !== null && 'safeParse' in config && 'shape' in config;
  return parses ? null : '`config` must be a zod object schema';
}
