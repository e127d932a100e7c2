import { availableParallelism } from 'node:os';
import { registerFusedKernels } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import { createAttentionKernels } from './attention-kernels.ts';
import { createGruKernels } from './gru-kernels.ts';
import { createHeadKernels } from './head-kernels.ts';
import { createLinearKernels } from './linear-kernels.ts';
import { loadNativeAddon, type NativeAddon } from './native-addon.ts';
import { BACKEND_NAME, NativeBackend } from './native-backend.ts';
import { createNormKernels } from './norm-kernels.ts';
import { createOptimizerKernels } from './optimizer-kernels.ts';
import { createRecurrenceKernels } from './recurrence-kernels.ts';
import { createRowKernels } from './row-kernels.ts';
import { createScoreKernels } from './score-kernels.ts';
import { registerTfKernels } from './tf-kernels.ts';

export type NativeBackendStatus =
  | {
      readonly available: true;
      /** avx512, avx2, sse2 or neon. */
      readonly instructionSet: string;
      readonly numThreads: number;
    }
  | {
      readonly available: false;
      /** One line: what is missing and how to get it. */
      readonly reason: string;
    };

let registered: { status: NativeBackendStatus; addon: NativeAddon } | undefined;

/**
 * Makes the backend known to TensorFlow.js as `native`; `tf.setBackend('native')` then activates it. Calling it again
 * changes nothing.
 *
 * `NIMUE_NATIVE_THREADS` sets the number of threads (default: the processors this process may use),
 * `NIMUE_NATIVE_ISA` the instruction set (default: the best that the processor has).
 */
export function registerNativeBackend(): NativeBackendStatus {
  if (registered) return registered.status;
  const loaded = loadNativeAddon();
  if (!('addon' in loaded)) return { available: false, reason: loaded.reason };
  const { addon } = loaded;
  const sets = addon.instructionSets();
  const instructionSet = process.env.NIMUE_NATIVE_ISA || sets[0];
  if (!addon.setInstructionSet(instructionSet)) {
    const reason = `NIMUE_NATIVE_ISA is '${instructionSet}', but this processor runs ${sets.join(', ')}`;
    return { available: false, reason };
  }
  const threads = process.env.NIMUE_NATIVE_THREADS;
  if (threads && !/^[1-9]\d*$/.test(threads)) {
    return { available: false, reason: `NIMUE_NATIVE_THREADS is '${threads}', expected a whole number from 1 on` };
  }
  const numThreads = addon.setNumThreads(Math.min(threads ? Number(threads) : availableParallelism(), 64));
  registerTfKernels(BACKEND_NAME);
  const backend = new NativeBackend(addon);
  tf.registerBackend(BACKEND_NAME, () => backend, 3);
  registerFusedKernels(BACKEND_NAME, {
    ...createRowKernels(backend),
    ...createNormKernels(backend),
    ...createLinearKernels(backend),
    ...createAttentionKernels(backend),
    ...createGruKernels(backend),
    ...createRecurrenceKernels(backend),
    ...createHeadKernels(backend),
    ...createScoreKernels(backend),
    ...createOptimizerKernels(backend),
  });
  const status: NativeBackendStatus = { available: true, instructionSet, numThreads };
  registered = { status, addon };
  return status;
}

/** The C++ functions behind the registered backend: for its tests and benchmarks. */
export function nativeAddon(): NativeAddon {
  if (!registered) throw new Error('native backend: not registered; call registerNativeBackend() first');
  return registered.addon;
}
