import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../input-error.ts';
import { runTool } from './run-tool.ts';

/**
 * Downloads a wheel of TensorFlow through pip, whatever index it is set up with.
 *
 * @returns the wheel's path
 * @throws InputError when there is no Python with pip, or pip finds no wheel
 */
export async function downloadWheel(distribution: string, directory: string, python = 'python3'): Promise<string> {
  const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--retries', '1', '--quiet'];
  const advice = 'download the wheel on another machine and name it with --wheel';
  await runTool(python, ['-m', 'pip', 'download', ...options, '--dest', directory, distribution], { advice });
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (wheel) return join(directory, wheel);
  throw new InputError(`pip download ${distribution} left no wheel behind; ${advice}`);
}
