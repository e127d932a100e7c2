import * as tf from '@tensorflow/tfjs';
import type { BackendProbe } from './backend.ts';

/** Plain JavaScript, part of TensorFlow.js: always there, and slow. */
export const cpuProbe: BackendProbe = {
  name: 'cpu',
  tensorflowName: 'cpu',
  load: async () => ({
    available: true,
    description: 'plain JavaScript, 1 thread',
    version: tf.version['tfjs-backend-cpu'],
    device: 'CPU, JavaScript, 1 thread',
  }),
};
