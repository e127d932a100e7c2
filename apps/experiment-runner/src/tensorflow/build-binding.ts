import { mkdir, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runTool } from './run-tool.ts';
import type { UnpackedWheel } from './unpack-wheel.ts';

/** Node-API version of the folder that tfjs-node looks for its binding in. */
const NAPI_VERSION = 8;

/**
 * Compiles tfjs-node's own binding against TensorFlow's C library.
 *
 * @param packageDirectory of tfjs-node or tfjs-node-gpu; the libraries lie in its `deps/lib`
 * @throws InputError when there is no C++ compiler, or it fails
 */
export async function buildBinding(
  packageDirectory: string,
  { libraries, includeDirectory }: Pick<UnpackedWheel, 'libraries' | 'includeDirectory'>,
): Promise<void> {
  const compiler = process.env.CXX ?? 'c++';
  const nodeHeaders = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  const sources = (await readdir(join(packageDirectory, 'binding'))).filter((name) => name.endsWith('.cc'));
  const target = join(packageDirectory, 'lib', `napi-v${NAPI_VERSION}`);
  await mkdir(target, { recursive: true });
  const args = [
    ...['-std=c++17', '-O2', '-shared', '-fPIC', `-DNAPI_VERSION=${NAPI_VERSION}`],
    ...[packageDirectory, includeDirectory, nodeHeaders].map((directory) => `-I${directory}`),
    ...sources.map((name) => join(packageDirectory, 'binding', name)),
    ...['-o', join(target, 'tfjs_binding.node')],
    // The libraries are found from where the binding lies, wherever the package is moved.
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    `-L${join(packageDirectory, 'deps', 'lib')}`,
    ...libraries.map((name) => `-l:${name}`),
  ];
  await runTool(compiler, args, { advice: 'install a C++17 compiler (Debian: apt install g++), or name one in CXX' });
}
