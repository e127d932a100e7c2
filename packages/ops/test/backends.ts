import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

/** Backends that every plain reference must agree on. */
export const REFERENCE_BACKENDS = ['cpu', 'wasm'] as const;

/** Makes a backend the active one. */
export async function useBackend(name: string): Promise<void> {
  await tf.setBackend(name);
  await tf.ready();
  // The plain cpu backend advertises another package at its first use.
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
}
