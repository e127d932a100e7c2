import * as tf from '@tensorflow/tfjs';
import { type BackendProbe, firstLineOf, type ProbeResult } from './backend.ts';

/** WebAssembly: no compiler and no download needed. In Node it has one thread; a browser may give it more. */
export const wasmProbe: BackendProbe = {
  name: 'wasm',
  tensorflowName: 'wasm',
  async load(): Promise<ProbeResult> {
    const release = holdProcessListeners();
    try {
      await import('@tensorflow/tfjs-backend-wasm');
      // The package finds its .wasm files beside itself.
      if (!(await tf.setBackend('wasm'))) throw new Error('this JavaScript engine cannot start WebAssembly');
      const hasSimd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
      return { available: true, description: `WebAssembly ${hasSimd ? 'with' : 'without'} SIMD, 1 thread` };
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
