// Who may import whom (apps/docs/decisions/0002-boundaries.md). ESLint runs for this alone; style and bugs are Biome's.
import nx from '@nx/eslint-plugin';
import parser from '@typescript-eslint/parser';

/** layer -> layers it may import. A package names its layer in package.json: nx.tags ["layer:<name>"]. */
const MAY_IMPORT = {
  batch: [],
  metrics: [],
  executor: [],
  data: ['batch'],
  ops: ['batch'],
  'backend-native': ['ops', 'batch'],
  models: ['ops', 'batch'],
  losses: ['ops', 'batch'],
  trainer: ['models', 'losses', 'metrics', 'data', 'ops', 'batch'],
  recommender: ['trainer', 'models', 'losses', 'data', 'ops', 'batch'],
  container: ['trainer', 'models', 'losses', 'metrics', 'data', 'ops', 'batch', 'backend-native', 'executor'],
  app: [
    'container',
    'recommender',
    'trainer',
    'models',
    'losses',
    'metrics',
    'data',
    'ops',
    'batch',
    'backend-native',
    'executor',
  ],
  testing: [],
};

const depConstraints = Object.entries(MAY_IMPORT).map(([layer, allowed]) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: [...allowed, 'testing'].map((name) => `layer:${name}`),
  bannedExternalImports: layer === 'container' || layer === 'app' ? [] : ['inversify', 'reflect-metadata'],
}));

export default [
  { ignores: ['**/dist/**', '**/build/**', '**/node_modules/**'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser },
    plugins: { '@nx': nx },
    rules: {
      // '#…' names files of a package's own that a browser replaces ("imports" in its package.json).
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: ['#*'], depConstraints },
      ],
    },
  },
];
