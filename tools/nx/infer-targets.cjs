// Gives every package and app the same four targets, so that no project carries a project.json of its own.
// A project may add or replace targets with an "nx" section in its package.json.
const { dirname, join } = require('node:path');
const { readFileSync } = require('node:fs');

const NODE_TEST = 'node --experimental-vm-modules --disable-warning=ExperimentalWarning';

function targets(root) {
  return {
    build: {
      command: 'tsc -p tsconfig.build.json',
      options: { cwd: root },
      cache: true,
      dependsOn: ['^build'],
      inputs: ['production', '^production'],
      outputs: ['{projectRoot}/dist'],
    },
    typecheck: {
      command: 'tsc -p tsconfig.json --noEmit',
      options: { cwd: root },
      cache: true,
      inputs: ['default', '^production'],
    },
    test: {
      command: `${NODE_TEST} node_modules/jest/bin/jest.js --config tools/jest/jest.config.mjs --rootDir ${root}`,
      options: { cwd: '.' },
      cache: true,
      inputs: ['default', '^production', { env: 'NIMUE_DATA' }],
      outputs: ['{projectRoot}/build/test-counts.json'],
    },
    lint: {
      command: `biome check --error-on-warnings ${root} && eslint --config .eslintrc.boundaries.mjs --no-warn-ignored --max-warnings 0 ${root}`,
      options: { cwd: '.' },
      cache: true,
      inputs: ['default'],
    },
  };
}

module.exports = {
  name: 'nimue-infer-targets',
  createNodesV2: [
    '{packages,apps}/*/package.json',
    (files, _options, { workspaceRoot }) =>
      files.map((file) => {
        const root = dirname(file);
        const manifest = JSON.parse(readFileSync(join(workspaceRoot, file), 'utf8'));
        const inferred = targets(root);
        if (manifest.nimue?.kind === 'docs') return [file, { projects: { [root]: { targets: {} } } }];
        return [file, { projects: { [root]: { targets: inferred } } }];
      }),
  ],
};
