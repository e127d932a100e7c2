import * as tf from '@tensorflow/tfjs';

/** Backends whose tensors lie in this process's memory: reading one costs a copy at most. */
const NEAR: ReadonlySet<string> = new Set(['cpu', 'wasm', 'native']);

/**
 * Whether reading a tensor may wait for a device to finish and copy over a bus, as with TensorFlow on a GPU: there an op
 * stays on tensors and reads small results only.
 */
export function readingWaits(): boolean {
  return !NEAR.has(tf.getBackend());
}
