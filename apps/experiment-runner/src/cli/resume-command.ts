import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../input-error.ts';
import { assertCanResume } from '../run/reopen-run-folder.ts';
import { type RunCommandOptions, runCommand } from './run-command.ts';
import { SWEEP_FILE, sweepCommand } from './sweep-command.ts';

/** `nimue resume <run folder>`, or `<runs>/<name>-sweep.yaml` */
export async function resumeCommand(
  path: string,
  options: Pick<RunCommandOptions, 'prepared' | 'json'>,
): Promise<void> {
  if (path.endsWith(SWEEP_FILE)) {
    if (!existsSync(path)) throw new InputError(`${path}: no sweep to resume; nimue sweep begins one`);
    return sweepCommand([path], { ...options, set: [], out: dirname(path) });
  }
  await assertCanResume(path);
  await runCommand([join(path, 'experiment.yaml')], { ...options, set: [], out: '', resume: path });
}
