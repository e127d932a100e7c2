import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertShape } from './assert-args.ts';
import { type Activation, fusedKernel, type LinearArgs } from './fused-kernels.ts';
import { productPrecision } from './product-precision.ts';
import { product } from './products.ts';
import { withGradient } from './with-gradient.ts';

/**
 * y = activation(x · weights + bias). Within `withProductPrecision('bfloat16', …)` the operands of the product, and of those of its
 * gradient, are rounded to bfloat16 where the backend multiplies those.
 *
 * @param x [N, I]
 * @param weights [I, O]
 * @param bias [O]
 * @param activation `gelu` is the exact one, x · Φ(x) (Hendrycks & Gimpel 2016); `silu` is x · σ(x)
 * @returns [N, O]
 */
export function linear(x: Tensor2D, weights: Tensor2D, bias?: Tensor1D, activation: Activation = 'none'): Tensor2D {
  assertShape('linear', 'x', x, [-1, -1]);
  assertShape('linear', 'weights', weights, [x.shape[1], -1]);
  if (bias) assertShape('linear', 'bias', bias, [weights.shape[1]]);
  const forward = fusedKernel('linear');
  const backward = fusedKernel('linearGradient');
  const precision = productPrecision();
  if (!forward || !backward) return linearReference({ x, weights, bias, activation, precision });
  return withGradient(
    [x, weights, bias],
    ([x, weights, bias]) => {
      const { y, preActivation } = forward({ x, weights, bias, activation, precision, saveForGradient: true });
      return { value: y, saved: preActivation ? [y, preActivation] : [y] };
    },
    (dy, [x, weights, bias], [y, preActivation]) => {
      const saved = { y: y as Tensor2D, preActivation: preActivation as Tensor2D | undefined };
      const gradient = backward({ x, weights, bias, activation, precision, dy, ...saved });
      return [gradient.x, gradient.weights, gradient.bias];
    },
  );
}

export function linearReference({ x, weights, bias, activation }: LinearArgs): Tensor2D {
  return tf.tidy(() => {
    const z = bias ? tf.add(product(x, weights), bias) : product(x, weights);
    return activate(z as Tensor2D, activation);
  });
}

function activate(z: Tensor2D, activation: Activation): Tensor2D {
  switch (activation) {
    case 'none':
      return z;
    case 'relu':
      return tf.relu(z);
    case 'tanh':
      return tf.tanh(z);
    case 'sigmoid':
      return tf.sigmoid(z);
    case 'silu':
      return tf.mul(z, tf.sigmoid(z));
    case 'gelu':
      return gelu(z);
  }
}

/** x · Φ(x); its gradient is written out because the wasm backend has no Erf. */
function gelu(z: Tensor2D): Tensor2D {
  return withGradient(
    [z],
    ([z]) => ({ value: tf.mul(z, normalCdf(z)) as Tensor2D }),
    (dy, [z]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(dy, tf.add(normalCdf(z), tf.mul(z, density)))];
    },
  );
}

/**
 * Φ(x) = erfc(−x / √2) / 2 with the Chebyshev fit of erfc in Numerical Recipes (2nd ed., §6.2): relative error below
 * 1.2e-7 everywhere, which is single precision.
 */
function normalCdf(x: tf.Tensor): tf.Tensor {
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  return tf.tidy(() => {
    const z = tf.mul(tf.abs(x), Math.SQRT1_2);
    const t = tf.div(1, tf.add(1, tf.mul(z, 0.5)));
    let exponent: tf.Tensor = tf.fill(x.shape, coefficients[9]);
    for (let i = 8; i >= 0; i--) exponent = tf.add(tf.mul(exponent, t), coefficients[i]);
    const tail = tf.mul(0.5, tf.mul(t, tf.exp(tf.sub(exponent, tf.square(z)))));
    return tf.where(tf.greaterEqual(x, 0), tf.sub(1, tail), tail);
  });
}
