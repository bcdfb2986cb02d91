import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, RelinkError } from '../../../src/errors.js';
import { webhookPolicyOf } from '../../../src/integrations/definition.js';
import { loadIntegrations } from '../../../src/integrations/load-integrations.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'relink-integrations-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(source: string, ending = 'cjs'): string {
  files += 1;
  const path = join(folder, `module-${files}.${ending}`);
  writeFileSync(path, source);
  return path;
}

const zod = JSON.stringify(require.resolve('zod'));
const definition = `{type: 'lead-router', name: 'Lead router', providers: ['attio'], config: z.object({team: z.string()})}`;

test('the built-in types: one that needs nothing, one that needs a pipeline', () => {
  const catalogue = loadIntegrations();
  expect(catalogue.list().map(({ type }) => type)).toEqual(['contact-sync', 'pipeline-report', 'forward']);
  expect(catalogue.get('contact-sync').config.safeParse({}).success).toBe(true);
  expect(catalogue.get('pipeline-report').config.safeParse({}).success).toBe(false);
  expect(catalogue.get('pipeline-report').config.safeParse({ pipelineId: 'p1' }).success).toBe(true);
});

test('an unknown type is an error of the registry, or null for who only looks', () => {
  const catalogue = loadIntegrations();
  expect(() => catalogue.get('nothing')).toThrow(RelinkError);
  expect(() => catalogue.get('constructor')).toThrow(RelinkError);
  expect(catalogue.find('nothing')).toBeNull();
});

test.each([
  ['a CommonJS module', `const {z} = require(${zod}); exports.integrations = [${definition}];`, 'cjs'],
  ['a CommonJS module that is the array', `const {z} = require(${zod}); module.exports = [${definition}];`, 'cjs'],
  ['an ES module with a default export', `import {z} from ${zod}; export default [${definition}];`, 'mjs'],
  ['an ES module with a named export', `import {z} from ${zod}; export const integrations = [${definition}];`, 'mjs'],
])('%s adds its types to the built-in ones', (_name, source, ending) => {
  const catalogue = loadIntegrations(write(source, ending));
  expect(catalogue.list()).toHaveLength(4);
  expect(catalogue.get('lead-router')).toMatchObject({ name: 'Lead router', providers: ['attio'] });
  expect(catalogue.get('lead-router').config.safeParse({ team: 'x' }).success).toBe(true);
});

test('a file elsewhere that looks for zod is told where it is', () => {
  const load = () => loadIntegrations(write(`const {z} = require('zod'); exports.integrations = [${definition}];`));
  expect(load).toThrow(/cannot be loaded: Cannot find module 'zod'/);
  expect(load).toThrow(/Take `z` from require\('relink'\).*npm install <Relink's directory>` beside it/);
});

const config = '{safeParse() {}, shape: {}}';
const withHooks = (hooks: string) =>
  `exports.integrations = [{type: 'a', name: 'x', providers: 'any', config: ${config}, ${hooks}}]`;
test.each([
  ['nothing exported', 'exports.other = 1', /must export an array/],
  ['a broken module', 'exports.integrations = [', /cannot be loaded/],
  ['a module that throws', 'throw new Error("no database here")', /cannot be loaded: no database here/],
  ['no object', 'exports.integrations = [1]', /definition 1: is not an object/],
  [
    'a bad type',
    `exports.integrations = [{type: 'Lead Router', name: 'x', providers: 'any', config: ${config}}]`,
    /`type`/,
  ],
  ['no name', `exports.integrations = [{type: 'a', providers: 'any', config: ${config}}]`, /`name`/],
  [
    'bad providers',
    `exports.integrations = [{type: 'a', name: 'x', providers: 'attio', config: ${config}}]`,
    /`providers`/,
  ],
  ['no schema', `exports.integrations = [{type: 'a', name: 'x', providers: 'any', config: {}}]`, /`config`/],
  [
    'a type twice',
    `exports.integrations = [{type: 'contact-sync', name: 'x', providers: 'any', config: ${config}}]`,
    /defined twice/,
  ],
  ['webhooks that are no settings', withHooks('webhooks: true'), /`webhooks` must be an object of settings/],
  ['an unknown setting', withHooks('webhooks: {retries: 3}'), /`webhooks` has unknown settings: retries/],
  ['a bad order', withHooks("webhooks: {order: 'random'}"), /`webhooks.order` must be 'arrival' or 'none'/],
  [
    'a bad policy',
    withHooks("webhooks: {whileInError: 'drop'}"),
    /`webhooks.whileInError` must be 'hold' or 'discard'/,
  ],
  ['no concurrency', withHooks('webhooks: {concurrency: 0}'), /`webhooks.concurrency` must be .* 1 to 50/],
  ['half an attempt', withHooks('webhooks: {maxAttempts: 1.5}'), /`webhooks.maxAttempts` must be .* 1 to 50/],
  ['too much time', withHooks('webhooks: {timeoutMs: 300001}'), /`webhooks.timeoutMs` must be .* 100 to 300000/],
  ['a handler that is none', withHooks("onWebhook: 'run'"), /`onWebhook` must be a function/],
  ['a hook that is none', withHooks('ensureSubscription: null'), /`ensureSubscription` must be a function/],
])('%s is refused with the file and the reason', (_name, source, message) => {
  const path = write(source);
  expect(() => loadIntegrations(path)).toThrow(message);
  expect(() => loadIntegrations(path)).toThrow(path);
  expect(() => loadIntegrations(path)).toThrow(ConfigError);
  expect(() => loadIntegrations(path)).toThrow('RELINK_INTEGRATIONS: ');
});

test('a definition may bring its own policy and hooks', () => {
  const path = write(
    withHooks(`webhooks: {whileInError: 'discard', order: 'none', concurrency: 50, maxAttempts: 1, timeoutMs: 100},
      onWebhook() {}, ensureSubscription: async () => null, onReconnected: async () => {}`),
  );
  expect(webhookPolicyOf(loadIntegrations(path).get('a'))).toEqual({
    whileInError: 'discard',
    order: 'none',
    concurrency: 50,
    maxAttempts: 1,
    timeoutMs: 100,
  });
});

test('a missing module is named', () => {
  expect(() => loadIntegrations(join(folder, 'nowhere.cjs'))).toThrow(
    /RELINK_INTEGRATIONS: .*nowhere\.cjs cannot be loaded/,
  );
});
