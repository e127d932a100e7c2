import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * An op with a hand-written gradient over a list of inputs, some of which may be absent.
 *
 * `tf.customGrad` disposes whatever is not saved and gives back saved tensors as a flat list; this keeps the inputs and
 * the side results of the forward pass apart and alive until the backward pass has run.
 *
 * @param inputs differentiable tensors, `undefined` where an optional one is absent
 * @param forward gives the op's value and what else the gradient needs
 * @param backward gives one gradient per input, in the same order; ignored for absent inputs
 */
export function withGradient<T extends Tensor, I extends readonly (Tensor | undefined)[]>(
  inputs: readonly [...I],
  forward: (inputs: I) => { value: T; saved?: readonly Tensor[] },
  backward: (dy: T, inputs: I, saved: readonly Tensor[]) => readonly (Tensor | undefined)[],
): T {
  const present = inputs.filter((input): input is NonNullable<I[number]> => input !== undefined) as Tensor[];
  const spread = (tensors: readonly Tensor[]): I => {
    let next = 0;
    return inputs.map((input) => (input === undefined ? undefined : tensors[next++])) as unknown as I;
  };
  return tf.customGrad((...args: (Tensor | tf.GradSaveFunc)[]) => {
    const tensors = args.slice(0, present.length) as Tensor[];
    const save = args[present.length] as tf.GradSaveFunc;
    const { value, saved = [] } = forward(spread(tensors));
    save([...tensors, ...saved]);
    return {
      value,
      gradFunc: (dy: Tensor, kept: Tensor[]) => {
        const gradients = backward(dy as T, spread(kept), kept.slice(present.length));
        return gradients.filter((_, i) => inputs[i] !== undefined) as Tensor[];
      },
    };
  })(...present) as T;
}

/** The result of an op that has nothing to work on: [0, width], with gradients of 0 for every input. */
export function withoutRows(inputs: readonly Tensor[], width: number): tf.Tensor2D {
  return withGradient(
    inputs,
    () => ({ value: tf.zeros([0, width]) as tf.Tensor2D }),
    (_dy, inputs) => inputs.map((input) => tf.zerosLike(input)),
  );
}
