import type { FusedKernels } from '@nimue/ops';
import type { Variable } from '@tensorflow/tfjs';
import type { NativeBackend } from './native-backend.ts';

/** Number of rows that move, elements of one, and the rows: what `readMovedRows` reads. */
function movedRows(parameter: Variable, rows: Int32Array | undefined) {
  return [rows?.length ?? 0, rows ? parameter.size / Math.max(1, parameter.shape[0]) : 0, rows] as const;
}

/** Optimizer step, global norm and scaling, all in place. */
export function createOptimizerKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    adam({ parameter, gradient, moment1, moment2, learningRate, beta1, beta2, epsilon, weightDecay, l2, step, rows }) {
      addon.adam(
        parameter.size,
        ...movedRows(parameter, rows),
        step,
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        l2 ?? 0,
        backend.writableFloats(parameter),
        backend.floats(gradient),
        backend.writableFloats(moment1),
        backend.writableFloats(moment2),
      );
    },
    adagrad({ parameter, gradient, accumulator, velocity, learningRate, epsilon, momentum, weightDecay, rows }) {
      addon.adagrad(
        parameter.size,
        ...movedRows(parameter, rows),
        learningRate,
        epsilon,
        momentum,
        weightDecay,
        backend.writableFloats(parameter),
        backend.floats(gradient),
        backend.writableFloats(accumulator),
        momentum > 0 && velocity ? backend.writableFloats(velocity) : undefined,
      );
    },
    sgd({ parameter, gradient, velocity, learningRate, momentum, weightDecay, rows }) {
      addon.sgd(
        parameter.size,
        ...movedRows(parameter, rows),
        learningRate,
        momentum,
        weightDecay,
        backend.writableFloats(parameter),
        backend.floats(gradient),
        momentum > 0 && velocity ? backend.writableFloats(velocity) : undefined,
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
