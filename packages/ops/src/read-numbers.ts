import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * The numbers of the tensor that `compute` returns, copied; what it made on the way is disposed. `tf.tidy` must not return
 * an array itself: it walks through its elements, one by one, for tensors in it, which takes longer than most products.
 *
 * @example
 * readNumbers(() => tf.sum(tf.tensor2d([[1, 2], [3, 4]]), 1)); // → Float32Array [3, 7]
 */
export function readNumbers(compute: () => Tensor): Float32Array {
  let numbers = new Float32Array();
  tf.tidy(() => {
    numbers = compute().dataSync<'float32'>().slice();
  });
  return numbers;
}
