import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../input-error.ts';
import { buildBinding } from './build-binding.ts';
import { downloadWheel } from './get-wheel.ts';
import { runTool } from './run-tool.ts';
import { unpackWheel } from './unpack-wheel.ts';
import { type VerifiedBinding, verifyBinding } from './verify-binding.ts';

export interface InstallTensorflowOptions {
  /** tfjs-node-gpu and a wheel of `tensorflow`, instead of tfjs-node and one of `tensorflow-cpu`. */
  readonly gpu?: boolean;
  /** A wheel that is there; otherwise pip downloads one. */
  readonly wheel?: string;
  /** The folder that becomes the package. Default: its place beside TensorFlow.js in node_modules. */
  readonly into?: string;
  /** Hears what is being done. */
  readonly onStep?: (line: string) => void;
}

export interface InstalledTensorflow extends VerifiedBinding {
  readonly directory: string;
}

/**
 * Installs tfjs-node (or -gpu) on the C library of a TensorFlow Python wheel: for machines that reach npm and a Python
 * index but not the servers of the packages' own binaries, and for newer TensorFlow and CUDA than those have. The package
 * comes from npm without its install script, its binding is compiled here and tried out before it takes the place of
 * what was there; when anything fails, everything is as it was.
 *
 * @throws InputError with the step that failed and what to do
 */
export async function installTensorflow(options: InstallTensorflowOptions = {}): Promise<InstalledTensorflow> {
  if (process.platform !== 'linux') {
    throw new InputError(
      `this works on Linux alone, not on ${process.platform}; run: npm install @tensorflow/tfjs-node`,
    );
  }
  const { gpu = false, onStep = () => {} } = options;
  const name = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  const target = targetOf(options);
  // Beside its later place, so that it can be renamed into it.
  await mkdir(dirname(target), { recursive: true });
  const staging = await mkdtemp(join(dirname(target), '.nimue-'));
  try {
    onStep(`@tensorflow/${name} ${tensorflowJsVersion()} from npm, without its install script`);
    const fresh = await fetchPackage(`@tensorflow/${name}@${tensorflowJsVersion()}`, staging, name);
    const distribution = gpu ? 'tensorflow' : 'tensorflow-cpu';
    if (!options.wheel) onStep(`the wheel of ${distribution} through pip, about ${gpu ? 600 : 270} MB`);
    const wheel = options.wheel ?? (await downloadWheel(distribution, await folder(staging, 'wheel')));
    onStep(`TensorFlow's C library and headers out of ${wheel}`);
    const unpacked = await unpackWheel(wheel, await folder(staging, 'unpacked'));
    await mkdir(join(fresh, 'deps', 'lib'), { recursive: true });
    for (const library of unpacked.libraries) {
      await rename(join(unpacked.libraryDirectory, library), join(fresh, 'deps', 'lib', library));
    }
    onStep(`the binding of ${name}, compiled against TensorFlow ${unpacked.version}`);
    if (options.into !== undefined) await linkTensorflowJs(fresh);
    await buildBinding(fresh, unpacked);
    onStep('a product and a gradient');
    const verified = await verifyBinding(fresh);
    const made = { ...verified, wheel: await sha256(wheel), distribution: unpacked.distribution };
    await writeFile(join(fresh, 'nimue-install.json'), `${JSON.stringify(made, null, 2)}\n`);
    await replace(target, fresh, join(staging, 'before'));
    return { ...verified, directory: target };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Takes away what `installTensorflow` made. @returns whether there was anything */
export async function removeTensorflow(options: Pick<InstallTensorflowOptions, 'gpu' | 'into'> = {}): Promise<boolean> {
  const target = targetOf(options);
  if (!existsSync(join(target, 'nimue-install.json'))) return false;
  await rm(target, { recursive: true });
  return true;
}

/**
 * Where the package goes.
 *
 * @throws InputError when something else lies there
 */
function targetOf({ into, gpu }: Pick<InstallTensorflowOptions, 'gpu' | 'into'>): string {
  const name = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  const target = into === undefined ? join(tensorflowScope(), name) : resolve(into);
  if (!existsSync(target)) return target;
  const found = join(target, 'package.json');
  const there = existsSync(found)
    ? String(JSON.parse(readFileSync(found, 'utf8')).name)
    : 'a folder without package.json';
  if (there === `@tensorflow/${name}`) return target;
  throw new InputError(`${target}: expected no folder, or @tensorflow/${name} in it, got ${there}; choose another one`);
}

/** The package with its dependencies inside, TensorFlow.js itself apart: that is the one of the project. */
async function fetchPackage(spec: string, staging: string, name: string): Promise<string> {
  const own = await folder(staging, 'package');
  await writeFile(join(own, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  await runTool('npm', ['install', ...options, spec], { cwd: own, advice: 'npm has to reach its registry' });
  const modules = join(own, 'node_modules');
  const fresh = join(modules, '@tensorflow', name);
  const nested = join(fresh, 'node_modules');
  await mkdir(nested, { recursive: true });
  for (const dependency of await readdir(modules)) {
    if (dependency === '@tensorflow' || dependency.startsWith('.') || existsSync(join(nested, dependency))) continue;
    await rename(join(modules, dependency), join(nested, dependency));
  }
  const place = join(staging, name);
  await rename(fresh, place);
  return place;
}

/** Outside of the project the package would not find the project's TensorFlow.js. */
async function linkTensorflowJs(directory: string): Promise<void> {
  const scope = join(directory, 'node_modules', '@tensorflow');
  await mkdir(scope, { recursive: true });
  for (const name of await readdir(tensorflowScope())) {
    if (/^tfjs(?!-node)/.test(name)) await symlink(join(tensorflowScope(), name), join(scope, name));
  }
}

/** Puts the new package in the place of the old one, which comes back when that fails. */
async function replace(target: string, fresh: string, before: string): Promise<void> {
  const hadOne = existsSync(target);
  if (hadOne) await rename(target, before);
  try {
    await rename(fresh, target);
  } catch (error) {
    if (hadOne) await rename(before, target);
    throw error;
  }
}

async function folder(parent: string, name: string): Promise<string> {
  await mkdir(join(parent, name));
  return join(parent, name);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** The folder of @tensorflow packages that TensorFlow.js is loaded from. */
function tensorflowScope(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json')));
}

function tensorflowJsVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('@tensorflow/tfjs/package.json');
  return String((manifest as { version?: unknown }).version);
}
