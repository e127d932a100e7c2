// One configuration for every package: TypeScript through swc, native ES modules, workspace packages from their sources.
import { fileURLToPath } from 'node:url';

export default {
  testMatch: ['<rootDir>/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/build/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@nimue/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  reporters: ['default', fileURLToPath(new URL('./count-reporter.mjs', import.meta.url))],
  testTimeout: 300_000,
  maxWorkers: process.env.CI ? 2 : '50%',
};
