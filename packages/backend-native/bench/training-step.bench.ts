// Times a whole training step (forward, backward, Adam) and prints one JSON line:
//   node --conditions=@nimue/source --import ./bench/register-ts.mjs bench/training-step.bench.ts ml1m|session|ml1m-bf16|session-bf16
import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs';
import { nativeAddon, registerNativeBackend } from '../src/register-native-backend.ts';
import { nativeBackendFallbacks } from '../src/tf-kernels.ts';
import { measure, peakMemoryMb } from './measure.ts';
import { createBatch, createTrainStep, ML1M_LIKE, SESSION_LIKE } from './sasrec-step.ts';

/** Adds up the time inside the C++ functions, so that the rest is JavaScript's share. */
function clockNativeCalls(): () => number {
  const addon = nativeAddon() as unknown as Record<string, (...args: unknown[]) => unknown>;
  let total = 0;
  for (const [name, run] of Object.entries(addon)) {
    addon[name] = (...args) => {
      const start = performance.now();
      const result = run(...args);
      total += performance.now() - start;
      return result;
    };
  }
  return () => total;
}

const status = registerNativeBackend();
if (!status.available) throw new Error(status.reason);
tf.setBackend('native');
const key = process.argv[2] ?? 'ml1m';
const shape = key.startsWith('session') ? SESSION_LIKE : ML1M_LIKE;
const bf16 = key.endsWith('bf16');
const step = createTrainStep(shape, bf16 ? 'bfloat16' : 'float32');
const batch = createBatch(shape, 1);
const timing = measure(() => void step(batch), { seconds: 6, minRuns: 7 });
const tensors = tf.memory().numTensors;
const nativeMs = clockNativeCalls();
const shares: number[] = [];
for (let i = 0; i < 9; i++) {
  const [before, start] = [nativeMs(), performance.now()];
  step(batch);
  const whole = performance.now() - start;
  shares.push(1 - (nativeMs() - before) / whole);
}
shares.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    key: `step-${key}`,
    name: shape.name + (bf16 ? ', bf16 head' : ''),
    ...timing,
    javascriptShare: shares[4],
    tensorsConstant: tf.memory().numTensors === tensors,
    peakMemoryMb: peakMemoryMb(),
    fallbacks: nativeBackendFallbacks(),
  }),
);
