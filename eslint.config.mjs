import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Files of src/ itself that layers may be allowed to import. */
const rootFiles = new Set([
  'errors',
  'ids',
  'log',
  'parse-json',
  'config',
  'config-dev',
  'start-everything',
  'compose',
  'load-settings',
  'listen-for-signals',
]);

/**
 * The architecture as a table: a folder of src/ may import itself and what is listed, nothing else.
 * ARCHITECTURE.md draws the same picture.
 */
const layers = {
  domain: [],
  contracts: ['domain'],
  workflows: ['domain', 'contracts'],
  vault: ['domain', 'errors'],
  store: ['domain', 'errors', 'parse-json'],
  providers: ['domain', 'vault', 'errors', 'parse-json'],
  integrations: ['domain', 'errors'],
  credentials: ['domain', 'contracts', 'store', 'providers', 'vault', 'temporal', 'errors', 'log'],
  handlers: [
    'domain',
    'credentials',
    'integrations',
    'providers',
    'store',
    'temporal',
    'vault',
    'errors',
    'log',
    'parse-json',
  ],
  activities: [
    'domain',
    'contracts',
    'credentials',
    'store',
    'providers',
    'vault',
    'integrations',
    'handlers',
    'errors',
    'ids',
    'log',
    'temporal',
  ],
  temporal: ['domain', 'contracts', 'errors', 'config', 'log'],
  // What only `npm start`, commands and tests bring along; nothing of production imports it.
  embedded: ['contracts', 'vault', 'config', 'parse-json'],
  cli: [
    'domain',
    'contracts',
    'embedded',
    'handlers',
    'integrations',
    'store',
    'vault',
    'compose',
    'load-settings',
    'listen-for-signals',
    'errors',
    'ids',
    'log',
    'config',
    'config-dev',
    'start-everything',
  ],
  http: [
    'domain',
    'contracts',
    'credentials',
    'store',
    'providers',
    'vault',
    'integrations',
    'temporal',
    'errors',
    'ids',
    'log',
    'parse-json',
    'config',
  ],
};

const zones = Object.entries(layers).map(([layer, allowed]) => ({
  target: `./src/${layer}`,
  from: './src',
  except: [layer, ...allowed].map(name => (rootFiles.has(name) ? `./${name}.ts` : `./${name}`)),
  message: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}. See ARCHITECTURE.md.`,
}));

export default tseslint.config(
  {
    ignores: [
      ...['dist/', '.relink*/', 'node_modules/', 'coverage/', 'src/store/postgres/generated/'],
      // What tests make and remove, while this looks.
      ...['test/e2e/walk-*/', 'test/unit/snippet-*/'],
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      // Imports are written with the ending of the compiled file.
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      'import-x/no-cycle': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  { files: ['src/**/*.ts'], rules: { 'max-lines': ['error', 200] } },
  // The one registry of all errors.
  { files: ['src/errors.ts'], rules: { 'max-lines': ['error', 400] } },
  { files: ['test/**/*.ts'], rules: { 'max-lines': ['error', 400] } },
  {
    files: ['src/domain/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\./)', message: 'src/domain imports nothing outside itself.' }] },
      ],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: ['./src/workflows/tsconfig.json'] } },
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!(@temporalio/(workflow|common)$|\\./|\\.\\./domain/|\\.\\./contracts/))',
              message: 'Workflow code imports only @temporalio/workflow, @temporalio/common, domain and contracts.',
            },
          ],
        },
      ],
      'max-lines': ['error', 150],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch', 'setInterval', 'console'],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: 'Workflow code is bundled: no dynamic import.' },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'src/dev.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/require-await': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
);
