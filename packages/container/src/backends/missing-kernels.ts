import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

interface SegmentSum {
  readonly inputs: { readonly x: TensorInfo; readonly segmentIds: TensorInfo };
  readonly attrs: { readonly numSegments: number };
}

/**
 * Gives a backend the kernels that gradients of TensorFlow.js's own operations need and that it lacks. Our ops need none of
 * them; a model of one's own that uses `tf.gather` does.
 *
 * `UnsortedSegmentSum`, the gradient of `tf.gather`: y[s] = Σ x[n] over all n with segmentIds[n] = s, which is what
 * `ScatterNd` adds up.
 */
export function registerMissingKernels(backendName: string): void {
  if (tf.getKernel('UnsortedSegmentSum', backendName)) return;
  const scatter = tf.getKernel('ScatterNd', backendName);
  if (!scatter) throw new Error(`registerMissingKernels: backend ${backendName} has no ScatterNd to add up with`);
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const { x, segmentIds } = inputs as unknown as SegmentSum['inputs'];
      const { numSegments } = attrs as unknown as SegmentSum['attrs'];
      const rank = segmentIds.shape.length;
      const shape = [numSegments, ...x.shape.slice(rank)];
      const indices = { ...segmentIds, shape: [...segmentIds.shape, 1] };
      return scatter.kernelFunc({ inputs: { indices, updates: x }, attrs: { shape } as never, backend });
    },
  });
}
