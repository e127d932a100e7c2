import * as tf from '@tensorflow/tfjs';
import { type BackendProbe, firstLineOf, type ProbeResult } from './backend.ts';
import { registerMissingKernels } from './missing-kernels.ts';

/**
 * WebAssembly: no compiler and no download needed. TensorFlow.js chooses the build with SIMD, and in a browser whose page is
 * isolated from other origins the one with threads. In Node.js it has one thread: the threaded build starts its workers from
 * blob: URLs, which Node.js's workers refuse.
 */
export const wasmProbe: BackendProbe = {
  name: 'wasm',
  tensorflowName: 'wasm',
  async load(): Promise<ProbeResult> {
    const release = holdProcessListeners();
    try {
      const { getThreadsCount, version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
      // The package finds its .wasm files beside itself.
      if (!(await tf.setBackend('wasm'))) throw new Error('this JavaScript engine cannot start WebAssembly');
      registerMissingKernels('wasm');
      const hasSimd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
      const hasThreads = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
      const numThreads = hasThreads ? getThreadsCount() : 1;
      const threads = `${numThreads} thread${numThreads === 1 ? '' : 's'}`;
      const description = `WebAssembly ${hasSimd ? 'with' : 'without'} SIMD, ${threads}`;
      return { available: true, description, version: version_wasm, device: `CPU, ${description}` };
    } catch (error) {
      return { available: false, reason: firstLineOf(error), advice: 'run: npm ci' };
    } finally {
      release();
    }
  },
};

const FATAL_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** The WebAssembly loader installs handlers that end the process in its own way; this takes them out again. */
function holdProcessListeners(): () => void {
  const before = new Map(FATAL_EVENTS.map((event) => [event, new Set<unknown>(process.rawListeners(event))]));
  return () => {
    for (const event of FATAL_EVENTS) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)?.has(listener)) process.off(event, listener as (...args: unknown[]) => void);
      }
    }
  };
}
