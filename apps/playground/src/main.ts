import { openModelFiles, Recommender } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
(globalThis as Record<string, unknown>).open = async (files: Record<string, Uint8Array>) =>
  new Recommender(await openModelFiles(files));
