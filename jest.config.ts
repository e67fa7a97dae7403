import type { Config } from 'jest';

const shared = {
  // What was built is not ours to test, and has a package.json of the same name.
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', experimental: { keepImportAttributes: true } } }],
  },
} satisfies Config;

/** `unit` needs nothing but Node, git and patch on a Linux; `kernel` needs root, for namespaces of its own; `e2e` starts a real cluster (test/cluster); `platforms` a cluster for each kind of node; each file of `long` starts one of its own. */
const config: Config = {
  // Tests that say they may run beside others wait most of their time: for agents, which count once a minute.
  maxConcurrency: 12,
  testSequencer: '<rootDir>/test/sequencer.ts',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...shared, displayName: 'kernel', testMatch: ['<rootDir>/test/kernel/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts', '<rootDir>/test/field/**/*.test.ts'],
      globalSetup: '<rootDir>/test/e2e/setup.ts',
      globalTeardown: '<rootDir>/test/e2e/teardown.ts',
    },
    {
      ...shared,
      displayName: 'platforms',
      testMatch: ['<rootDir>/test/platforms/**/*.test.ts'],
      globalSetup: '<rootDir>/test/platforms/setup.ts',
    },
    {
      ...shared,
      displayName: 'long',
      testMatch: ['<rootDir>/test/long/**/*.test.ts'],
      globalSetup: '<rootDir>/test/long/setup.ts',
    },
  ],
};
export default config;
