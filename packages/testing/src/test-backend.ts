import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Activates the backend that a conformance suite runs on: the one that `NIMUE_TEST_BACKEND` names, else cpu. `tensorflow` is
 * the tfjs-node in the folder `NIMUE_TENSORFLOW_DIRECTORY`.
 *
 * @throws when it cannot be had: a suite that ran on another backend would prove nothing
 */
export async function useTestBackend(name = process.env.NIMUE_TEST_BACKEND ?? 'cpu'): Promise<void> {
  const tf = await import('@tensorflow/tfjs');
  if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  if (name === 'tensorflow') {
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    const folder = process.env.NIMUE_TENSORFLOW_DIRECTORY;
    if (!folder)
      throw new Error('useTestBackend: tensorflow needs NIMUE_TENSORFLOW_DIRECTORY, the folder of a tfjs-node');
    createRequire(import.meta.url)(join(folder, 'dist', 'index.js'));
  }
  if (!(await tf.setBackend(name))) throw new Error(`useTestBackend: backend ${name} does not start`);
  await tf.ready();
  // The plain cpu backend advertises another package at its first use.
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
}
