import { join } from 'node:path';
import { assertCanResume } from '../run/reopen-run-folder.ts';
import { type RunCommandOptions, runCommand } from './run-command.ts';

/** `nimue resume <run folder>` */
export async function resumeCommand(
  path: string,
  options: Pick<RunCommandOptions, 'prepared' | 'json'>,
): Promise<void> {
  await assertCanResume(path);
  await runCommand([join(path, 'experiment.yaml')], { ...options, set: [], out: '', resume: path });
}
