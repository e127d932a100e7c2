import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { assertOffsets, assertShape } from './assert-args.ts';
import { fusedKernel } from './fused-kernels.ts';
import { gruReference } from './gru-reference.ts';
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
