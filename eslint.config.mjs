import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The architecture as a table: a folder of src/ may import itself and what is listed, nothing else.
 * ARCHITECTURE.md draws the same picture.
 */
const layers = {
  domain: [],
  contracts: ['domain'],
  workflows: ['domain', 'contracts'],
  vault: ['domain', 'errors', 'config'],
  store: ['domain', 'vault', 'errors', 'ids', 'log'],
  providers: ['domain', 'vault', 'errors', 'config', 'log'],
  integrations: ['domain', 'errors'],
  activities: [
    'domain',
    'contracts',
    'store',
    'providers',
    'vault',
    'integrations',
    'errors',
    'ids',
    'log',
    'temporal',
  ],
  temporal: ['domain', 'contracts', 'errors', 'config', 'log'],
  http: [
    'domain',
    'contracts',
    'store',
    'providers',
    'vault',
    'integrations',
    'temporal',
    'errors',
    'ids',
    'log',
    'config',
  ],
};

/** Layers that may touch an outer layer for its types only (the port), never for code. */
const restricted = Object.entries(layers).flatMap(([layer, allowed]) =>
  // As many steps up as the file lies deep leave the layer; fewer stay inside it.
  [1, 2, 3, 4].map(depth => ({
    files: [`src/${layer}/${'*/'.repeat(depth - 1)}*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./){${depth}}(?!(${[...allowed, layer].join('|')})(/|\\.js$))[a-z]`,
              message: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}. See ARCHITECTURE.md.`,
            },
          ],
        },
      ],
    },
  })),
);

export default tseslint.config(
  { ignores: ['dist/', '.relink/', 'node_modules/', 'coverage/', 'src/store/postgres/generated/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver': { typescript: true },
      'import-x/extensions': ['.ts'],
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  ...restricted,
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
