import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertOffsets, assertShape } from './assert-args.ts';
import { fusedKernel, type LinearRecurrenceArgs } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { padSessions } from './pad-sessions.ts';
import { withGradient, withoutRows } from './with-gradient.ts';

/**
 * A diagonal linear recurrence over every session, from a state of 0, in complex numbers: hₜ = λ ∘ hₜ₋₁ + xₜ (Orvieto et al.
 * 2023, "Resurrecting Recurrent Neural Networks for Long Sequences", eq. 2). Real parts are the first S columns,
 * imaginary parts the last S.
 *
 * @param x [T, 2 S]
 * @param offsets [B + 1]
 * @param decay λ [2, S]: real parts, imaginary parts
 * @returns states [T, 2 S]
 *
 * @example
 * // λ = ½ + 0 i: each state is the input and half of the state before
 * const x = tf.tensor2d([[8, 0], [0, 0], [0, 4]]);
 * linearRecurrence(x, Int32Array.of(0, 3), tf.tensor2d([[0.5], [0]])).dataSync(); // → Float32Array [8, 0, 4, 0, 2, 4]
 */
export function linearRecurrence(x: Tensor2D, offsets: Int32Array, decay: Tensor2D): Tensor2D {
  assertShape('linearRecurrence', 'decay', decay, [2, -1]);
  assertShape('linearRecurrence', 'x', x, [-1, 2 * decay.shape[1]]);
  assertOffsets('linearRecurrence', offsets, x.shape[0]);
  const forward = fusedKernel('linearRecurrence');
  const backward = fusedKernel('linearRecurrenceGradient');
  if (!forward || !backward) {
    if (x.shape[0] === 0) return withoutRows([x, decay], x.shape[1]);
    return linearRecurrenceReference({ x, offsets, decay });
  }
  return withGradient(
    [x, decay],
    ([x, decay]) => {
      const y = forward({ x, offsets, decay });
      return { value: y, saved: [y] };
    },
    (dy, [x, decay], [y]) => {
      const gradient = backward({ x, offsets, decay, y: y as Tensor2D, dy });
      return [gradient.x, gradient.decay];
    },
  );
}

/** Pads inside and runs all sessions in step; what padding computes is never read. */
export function linearRecurrenceReference({ x, offsets, decay }: LinearRecurrenceArgs): Tensor2D {
  const { numSessions, length, toGrid, toPacked } = padSessions(offsets);
  const size = decay.shape[1];
  return tf.tidy(() => {
    const [real, imaginary] = tf.split(decay, 2, 0);
    let state: Tensor2D = tf.zeros([numSessions, 2 * size]);
    const states: Tensor2D[] = [];
    for (let step = 0; step < length; step++) {
      const rows = Int32Array.from({ length: numSessions }, (_, b) => toGrid[b * length + step]);
      const [a, b] = tf.split(state, 2, 1);
      const turned = tf.concat(
        [tf.sub(tf.mul(a, real), tf.mul(b, imaginary)), tf.add(tf.mul(a, imaginary), tf.mul(b, real))],
        1,
      );
      state = tf.add(turned, gatherRows(x, rows)) as Tensor2D;
      states.push(state);
    }
    // states are laid out step by step: [length · B, 2 S]
    const cells = toPacked.map((cell) => (cell % length) * numSessions + Math.floor(cell / length));
    return gatherRows(tf.concat(states, 0), cells);
  });
}
