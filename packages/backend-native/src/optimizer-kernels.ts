import type { FusedKernels } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';

/** Optimizer step, global norm and scaling, all in place. */
export function createOptimizerKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    adam({ parameter, gradient, moment1, moment2, learningRate, beta1, beta2, epsilon, weightDecay, step }) {
      addon.adam(
        parameter.size,
        step,
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        backend.writableFloats(parameter),
        backend.floats(gradient),
        backend.writableFloats(moment1),
        backend.writableFloats(moment2),
      );
    },
    globalNorm(tensors) {
      let sum = 0;
      for (const tensor of tensors) sum += addon.sumSquares(tensor.size, backend.floats(tensor));
      return Math.sqrt(sum);
    },
    scaleInPlace(tensors, factor) {
      // Two tensors of one piece of data (a clone) are scaled once: both see it.
      for (const values of new Set(tensors.map((tensor) => backend.floats(tensor)))) {
        addon.scale(values.length, factor, values);
      }
    },
  } satisfies FusedKernels;
}
