import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertOffsets, assertShape } from './assert-args.ts';
import { fusedKernel, type GruArgs } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { padSessions } from './pad-sessions.ts';
import { product } from './products.ts';
import { withGradient, withoutRows } from './with-gradient.ts';

export interface GruWeights {
  /** [I, 3D]: columns for reset, update and new gate, in this order. */
  readonly inputWeights: Tensor2D;
  /** [D, 3D] */
  readonly recurrentWeights: Tensor2D;
  /** [3D] */
  readonly inputBias: Tensor1D;
  /** [3D] */
  readonly recurrentBias: Tensor1D;
}

/**
 * One layer of gated recurrent units over every session, from a zero state (Cho et al. 2014, in the form that cuDNN and
 * PyTorch compute, where the reset gate scales the recurrent product with its bias):
 *
 * r = σ(x Wᵣ + bᵣ + h Uᵣ + cᵣ), z = σ(x W_z + b_z + h U_z + c_z), n = tanh(x Wₙ + bₙ + r ∘ (h Uₙ + cₙ)),
 * h′ = (1 − z) ∘ n + z ∘ h.
 *
 * @param x [T, I]
 * @param offsets [B + 1]
 * @returns hidden state after every position [T, D]
 */
export function gru(x: Tensor2D, offsets: Int32Array, weights: GruWeights): Tensor2D {
  const { inputWeights, recurrentWeights, inputBias, recurrentBias } = weights;
  const width = recurrentWeights.shape[0];
  assertShape('gru', 'x', x, [-1, -1]);
  assertOffsets('gru', offsets, x.shape[0]);
  assertShape('gru', 'inputWeights', inputWeights, [x.shape[1], 3 * width]);
  assertShape('gru', 'recurrentWeights', recurrentWeights, [width, 3 * width]);
  assertShape('gru', 'inputBias', inputBias, [3 * width]);
  assertShape('gru', 'recurrentBias', recurrentBias, [3 * width]);
  const forward = fusedKernel('gru');
  const backward = fusedKernel('gruGradient');
  if (!forward || !backward) {
    if (x.shape[0] === 0) {
      return withoutRows([x, inputWeights, recurrentWeights, inputBias, recurrentBias], width);
    }
    return gruReference({ x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias });
  }
  return withGradient(
    [x, inputWeights, recurrentWeights, inputBias, recurrentBias],
    ([x, inputWeights, recurrentWeights, inputBias, recurrentBias]) => {
      const { y, saved } = forward({ x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias });
      return { value: y, saved: [y, saved] };
    },
    (dy, [x, inputWeights, recurrentWeights, inputBias, recurrentBias], [y, saved]) => {
      const g = backward({
        x,
        offsets,
        inputWeights,
        recurrentWeights,
        inputBias,
        recurrentBias,
        dy,
        y: y as Tensor2D,
        saved: saved as Tensor2D,
      });
      return [g.x, g.inputWeights, g.recurrentWeights, g.inputBias, g.recurrentBias];
    },
  );
}

/** Pads inside and runs all sessions in step; what padding computes is never read. */
export function gruReference(args: GruArgs): Tensor2D {
  const { x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias } = args;
  const width = recurrentWeights.shape[0];
  const { numSessions, length, toGrid, toPacked } = padSessions(offsets);
  return tf.tidy(() => {
    const inputGates = tf.add(product(x, inputWeights), inputBias) as Tensor2D;
    let hidden: Tensor2D = tf.zeros([numSessions, width]);
    const states: Tensor2D[] = [];
    for (let step = 0; step < length; step++) {
      const rows = new Int32Array(numSessions);
      for (let b = 0; b < numSessions; b++) rows[b] = toGrid[b * length + step];
      const fromInput = tf.split(gatherRows(inputGates, rows), 3, 1);
      const fromHidden = tf.split(tf.add(product(hidden, recurrentWeights), recurrentBias) as Tensor2D, 3, 1);
      const reset = tf.sigmoid(tf.add(fromInput[0], fromHidden[0]));
      const update = tf.sigmoid(tf.add(fromInput[1], fromHidden[1]));
      const candidate = tf.tanh(tf.add(fromInput[2], tf.mul(reset, fromHidden[2])));
      hidden = tf.add(tf.mul(tf.sub(1, update), candidate), tf.mul(update, hidden)) as Tensor2D;
      states.push(hidden);
    }
    // states are laid out step by step: [length · B, D]
    const cells = toPacked.map((cell) => (cell % length) * numSessions + Math.floor(cell / length));
    return gatherRows(tf.concat(states, 0), cells);
  });
}
