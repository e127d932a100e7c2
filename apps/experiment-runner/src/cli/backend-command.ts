import { installTensorflow, removeTensorflow } from '../tensorflow/install-tensorflow.ts';

export interface BackendInstallOptions {
  readonly gpu?: boolean;
  readonly wheel?: string;
  readonly into?: string;
  readonly json?: boolean;
}

/** `nimue backend install tensorflow` */
export async function backendInstallCommand(options: BackendInstallOptions): Promise<void> {
  const started = performance.now();
  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const { json, ...rest } = options;
  const { version, isUsingGpu, directory } = await installTensorflow({ ...rest, onStep: say });
  const seconds = Math.round((performance.now() - started) / 1000);
  say(
    `TensorFlow ${version} computes on the ${isUsingGpu ? 'GPU' : 'CPU'}; installed in ${directory} after ${seconds} s`,
  );
  if (options.gpu && !isUsingGpu) {
    say('it found no GPU: apps/docs/gpu.md says which driver, CUDA and cuDNN it needs and how it finds them');
  }
  const setting = options.into === undefined ? '' : ` and NIMUE_TENSORFLOW_DIRECTORY=${directory}`;
  say(`take it with backend: tensorflow${setting}; nimue doctor compares it with the others`);
  if (json) process.stdout.write(`${JSON.stringify({ version, isUsingGpu, directory, seconds }, null, 2)}\n`);
}

/** `nimue backend remove tensorflow` */
export async function backendRemoveCommand({
  json,
  ...options
}: Pick<BackendInstallOptions, 'gpu' | 'into' | 'json'>): Promise<void> {
  const removed = await removeTensorflow(options);
  const said = removed ? 'removed' : 'there is none that nimue installed';
  process.stdout.write(json ? `${JSON.stringify({ removed })}\n` : `${said}\n`);
}
