// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs this package's tests on it.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const workspace = join(root, '..', '..');
const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', cwd: workspace, env: { ...process.env, ...env } }).status ?? 1;

const built = run(process.execPath, [join(root, 'scripts', 'build-addon.mjs'), '--sanitize']);
if (built !== 0) process.exit(built);

const library = (name) => {
  const found = spawnSync(process.env.CXX ?? 'g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
  return found.stdout.trim();
};
process.exit(
  run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(workspace, 'node_modules/jest/bin/jest.js'),
      '--config',
      'tools/jest/jest.config.mjs',
      '--rootDir',
      root,
      '--runInBand',
      '--testTimeout=600000',
      ...process.argv.slice(2),
    ],
    {
      LD_PRELOAD: [library('libasan.so'), library('libubsan.so'), library('libstdc++.so.6')].join(' '),
      // V8 keeps its heap for itself; only reads and writes of the kernels are of interest.
      ASAN_OPTIONS: 'detect_leaks=0,halt_on_error=1,abort_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1,halt_on_error=1',
      // No reuse of memory, so that every step beyond an array is seen.
      NIMUE_NATIVE_POOL: 'off',
      NIMUE_NATIVE_ADDON: join(root, 'build', 'sanitize', 'nimue-native.node'),
    },
  ),
);
