import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';

/** The fastest backend for one small request at a time that this browser has. @returns its name */
export async function chooseBackend(): Promise<string> {
  // Threads need a page that is isolated from others, and one request has too little work for them.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    // Never asked for; the map must be whole.
    'tfjs-backend-wasm-threaded-simd.wasm': simd,
  });
  for (const name of ['wasm', 'cpu']) {
    try {
      if (await tf.setBackend(name)) return name;
    } catch {
      // The next one.
    }
  }
  throw new Error('this browser runs neither WebAssembly nor JavaScript numbers');
}
