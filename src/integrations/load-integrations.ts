import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { z } from 'zod';
import { whileInErrorPolicies } from '../domain/delivery.js';
import { ConfigError, RelinkError } from '../errors.js';
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
 * @throws ConfigError that says which module, or which of its definitions, is wrong and how.
 */
export function loadIntegrations(modulePath?: string): IntegrationCatalogue {
  const definitions = new Map<string, IntegrationDefinition>();
  const own = modulePath === undefined ? [] : readModule(resolve(modulePath));
  for (const definition of [...builtInIntegrations, ...own]) {
    if (definitions.has(definition.type)) {
      throw refuse(`${modulePath}: the integration type ${definition.type} is defined twice`);
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
    throw refuse(`${path} cannot be loaded: ${describe(error)}`);
  }
  const list = findList(loaded);
  if (list === null) {
    throw refuse(`${path} must export an array, as \`default\` or as \`integrations\``);
  }
  return list.map((value, index) => {
    const problem = findProblem(value);
    if (problem !== null) throw refuse(`${path}: definition ${index + 1}: ${problem}`);
    return value as IntegrationDefinition;
  });
}

const refuse = (problem: string) => new ConfigError([`RELINK_INTEGRATIONS: ${problem}`]);

/** The first line: Node goes on with the list of the modules that asked for a missing one. */
function describe(error: unknown): string {
  const told: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  const [message = ''] = typeof told === 'string' ? told.split('\n') : [];
  return /^Cannot find (module|package) '(zod|relink)'/.test(message) ? `${message}. ${howToFind}` : message;
}

const howToFind =
  "Take `z` from require('relink'), and where the file lies outside Relink's directory, run `npm install <Relink's directory>` beside it";

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
  if (!parses) return '`config` must be a zod object schema';
  const own = hooksSchema.safeParse(value);
  const [issue] = own.error?.issues ?? [];
  return issue === undefined ? null : `\`${issue.path.join('.')}\` ${issue.message}`;
}

const range = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error }).optional();
};
const choice = (values: readonly [string, string]) =>
  z.enum(values, { error: `must be '${values[0]}' or '${values[1]}'` }).optional();
const hook = z.custom(value => value === undefined || typeof value === 'function', { error: 'must be a function' });

/** What a definition may have beyond what it must. */
const hooksSchema = z.object({
  webhooks: z
    .strictObject(
      {
        whileInError: choice(whileInErrorPolicies),
        order: choice(['arrival', 'none']),
        concurrency: range(1, 50),
        maxAttempts: range(1, 50),
        timeoutMs: range(100, 300_000),
      },
      {
        error: issue =>
          issue.code === 'unrecognized_keys'
            ? `has unknown settings: ${issue.keys.join(', ')}`
            : 'must be an object of settings',
      },
    )
    .optional(),
  onWebhook: hook.optional(),
  ensureSubscription: hook.optional(),
  onReconnected: hook.optional(),
});
