import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InputError } from '../input-error.ts';

export interface RunToolOptions {
  /** What a person can do when the tool is missing or fails. */
  readonly advice: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program and returns what it wrote to stdout.
 *
 * @throws InputError that names the program, the end of what it said, and the advice
 */
export async function runTool(command: string, args: readonly string[], options: RunToolOptions): Promise<string> {
  const { advice, cwd, env } = options;
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 1 << 28 });
    return stdout;
  } catch (error) {
    const { code, stderr = '', message } = error as { code?: unknown; stderr?: string; message: string };
    if (code === 'ENOENT') throw new InputError(`'${command}' is not on this machine; ${advice}`);
    const said = stderr.trim().split('\n').slice(-6).join('\n') || message;
    throw new InputError(`'${command}' failed; ${advice}\n${said}`);
  }
}
