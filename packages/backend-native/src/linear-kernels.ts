import type { Activation, FusedKernels } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';
import { usesBfloat16 } from './product-precision.ts';

/** Numbers of the activations on the C++ side. */
const ACTIVATIONS: Readonly<Record<Activation, number>> = { none: 0, relu: 1, gelu: 2, silu: 3, tanh: 4, sigmoid: 5 };

/** activation(x · weights + bias) and its gradient. */
export function createLinearKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    linear({ x, weights, bias, activation, precision, saveForGradient }) {
      const [rows, inputs] = x.shape;
      const outputs = weights.shape[1];
      const y = backend.output([rows, outputs]);
      const needsInput = saveForGradient && (activation === 'gelu' || activation === 'silu');
      const preActivation = needsInput ? backend.output([rows, outputs]) : undefined;
      addon.linear(
        rows,
        inputs,
        outputs,
        ACTIVATIONS[activation],
        usesBfloat16(addon, precision) ? 1 : 0,
        backend.floats(x),
        backend.floats(weights),
        bias && backend.floats(bias),
        y.values,
        preActivation?.values,
      );
      return { y: backend.tensor(y), preActivation: preActivation && backend.tensor(preActivation) };
    },
    linearGradient({ x, weights, bias, activation, precision, dy, y, preActivation }) {
      const [rows, inputs] = x.shape;
      const outputs = weights.shape[1];
      const dx = backend.output(x.shape);
      const dWeights = backend.output(weights.shape);
      const dBias = bias && backend.output([outputs]);
      addon.linearGradient(
        rows,
        inputs,
        outputs,
        ACTIVATIONS[activation],
        usesBfloat16(addon, precision) ? 1 : 0,
        backend.floats(x),
        backend.floats(weights),
        backend.floats(dy),
        backend.floats(y),
        preActivation && backend.floats(preActivation),
        dx.values,
        dWeights.values,
        dBias?.values,
      );
      return { x: backend.tensor(dx), weights: backend.tensor(dWeights), bias: dBias && backend.tensor(dBias) };
    },
  } satisfies FusedKernels;
}
