// Builds the Node-API addon with the system's C++ compiler. Runs at install and never fails it: without a compiler it
// says so in one line, and the package reports itself as not available.
//
//   node scripts/build-addon.mjs [--force] [--sanitize] [--arch arm64|x64]
//
// --sanitize builds a second binary with AddressSanitizer and UndefinedBehaviorSanitizer for `npm run test:sanitize`.
// --arch builds for another processor than this one's, into build/<arch>, with $CXX or Debian's cross compiler of that name.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'native');
const sanitize = process.argv.includes('--sanitize');
const force = process.argv.includes('--force');
const arch = process.argv.includes('--arch') ? process.argv[process.argv.indexOf('--arch') + 1] : process.arch;
const isCross = arch !== process.arch;
const out = join(root, 'build', sanitize ? 'sanitize' : isCross ? `${process.platform}-${arch}` : 'release');
const binary = join(out, 'nimue-native.node');

/** Flags per copy of the kernels. */
const INSTRUCTION_SETS = {
  x64: {
    avx512: ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mfma', '-mprefer-vector-width=512'],
    avx2: ['-mavx2', '-mfma'],
    sse2: [],
  },
  arm64: { neon: [] },
};

const CROSS_COMPILERS = { arm64: 'aarch64-linux-gnu-g++', x64: 'x86_64-linux-gnu-g++' };
const COMPILERS = process.env.CXX
  ? [process.env.CXX]
  : isCross
    ? [CROSS_COMPILERS[arch] ?? `${arch}-linux-gnu-g++`]
    : ['g++', 'clang++', 'c++'];

function findCompiler() {
  for (const command of COMPILERS) {
    const version = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (version.status === 0) return { command, version: version.stdout.split('\n')[0] };
  }
  return undefined;
}

function includeDirectory() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    return undefined;
  }
}

function compile(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: sources, stdio: ['ignore', 'inherit', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}\n${errors.slice(0, 4000)}`)),
    );
  });
}

async function inPairs(jobs) {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

async function build() {
  const sets = INSTRUCTION_SETS[arch];
  if (!sets || (process.platform !== 'linux' && process.platform !== 'darwin')) {
    if (isCross) throw new Error(`--arch ${arch}: expected ${Object.keys(INSTRUCTION_SETS).join(' or ')}`);
    return `no native kernels for ${process.platform}-${arch}; the wasm and cpu backends serve`;
  }
  const compiler = findCompiler();
  if (!compiler && isCross) {
    throw new Error(
      `no compiler for ${arch} found (tried ${COMPILERS.join(', ')}): apt-get install g++-aarch64-linux-gnu`,
    );
  }
  if (!compiler) {
    return `no C++ compiler found (tried ${COMPILERS.join(', ')}); the wasm and cpu backends serve. To get the native one: apt-get install g++ && npm rebuild @nimue/backend-native`;
  }
  const include = includeDirectory();
  if (!include) return 'node-api-headers is not installed; run npm install first';

  const common = ['-std=c++20', '-O2', '-fPIC', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra', '-Wno-psabi'];
  // GCC 12 warns about its own AVX-512 header.
  common.push('-Wno-uninitialized', ...(compiler.version.includes('clang') ? [] : ['-Wno-maybe-uninitialized']));
  if (sanitize)
    common.push('-g', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all');
  const units = [
    ...['addon', 'scratch', 'thread-pool', 'instruction-sets'].map((name) => ({
      object: join(out, `${name}.o`),
      args: [...common, '-DNAPI_VERSION=8', `-I${include}`, '-c', `${name}.cc`],
    })),
    ...Object.entries(sets).map(([name, flags]) => ({
      object: join(out, `kernels-${name}.o`),
      args: [...common, ...flags, `-DNIMUE_ISA=${name}`, '-c', 'kernels.cc'],
    })),
  ];
  const link = ['-shared', '-pthread'];
  if (process.platform === 'darwin') link.push('-undefined', 'dynamic_lookup');
  // The pool's threads outlive a worker that loaded the addon: its code must stay mapped.
  else link.push('-Wl,-z,nodelete', '-static-libgcc');
  if (sanitize) link.push('-fsanitize=address,undefined');
  else if (process.platform === 'linux') link.push('-static-libstdc++');

  const hash = createHash('sha256').update(JSON.stringify([compiler, process.version, arch, units, link]));
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(join(sources, file)));
  const key = hash.digest('hex');
  const keyFile = join(out, 'key');
  if (!force && existsSync(binary) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return undefined;

  const start = Date.now();
  mkdirSync(out, { recursive: true });
  await inPairs(units.reverse().map((unit) => () => compile(compiler.command, [...unit.args, '-o', unit.object])));
  const fresh = `${binary}.${process.pid}`;
  await compile(compiler.command, [...units.map((unit) => unit.object), ...link, '-o', fresh]);
  renameSync(fresh, binary);
  writeFileSync(keyFile, key);
  for (const unit of units) rmSync(unit.object, { force: true });
  return `built with ${compiler.version} in ${((Date.now() - start) / 1000).toFixed(1)} s`;
}

try {
  const message = await build();
  if (message) console.log(`@nimue/backend-native: ${message}`);
} catch (error) {
  console.log(
    `@nimue/backend-native: the native kernels could not be built; the wasm and cpu backends serve. ${error.message}`,
  );
  if (sanitize || force || isCross) process.exitCode = 1;
}
