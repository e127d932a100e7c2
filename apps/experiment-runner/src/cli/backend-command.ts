import { installTensorflow, removeTensorflow } from '../tensorflow/install-tensorflow.ts';

export interface BackendInstallOptions {
  readonly gpu?: boolean;
  readonly wheel?: string;
  readonly into?: string;
}

/** `nimue backend install tensorflow` */
export async function backendInstallCommand(options: BackendInstallOptions): Promise<void> {
  const started = performance.now();
  const onStep = (line: string) => process.stdout.write(`${line}\n`);
  const { version, isUsingGpu, directory } = await installTensorflow({ ...options, onStep });
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `TensorFlow ${version} computes on the ${isUsingGpu ? 'GPU' : 'CPU'}; installed in ${directory} after ${seconds} s\n`,
  );
  if (options.gpu && !isUsingGpu) {
    process.stdout.write(
      'it found no GPU: apps/docs/gpu.md says which driver, CUDA and cuDNN it needs and how it finds them\n',
    );
  }
  const setting = options.into === undefined ? '' : ` and NIMUE_TENSORFLOW_DIRECTORY=${directory}`;
  process.stdout.write(`take it with backend: tensorflow${setting}; nimue doctor compares it with the others\n`);
}

/** `nimue backend remove tensorflow` */
export async function backendRemoveCommand(options: Pick<BackendInstallOptions, 'gpu'>): Promise<void> {
  const removed = await removeTensorflow(options);
  process.stdout.write(removed ? 'removed\n' : 'there is none that nimue installed\n');
}
