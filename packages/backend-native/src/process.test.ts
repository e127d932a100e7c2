import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { nativeAddon, registerNativeBackend } from './register-native-backend.ts';

const addonPath =
  process.env.NIMUE_NATIVE_ADDON ?? fileURLToPath(new URL('../build/release/nimue-native.node', import.meta.url));

beforeAll(() => {
  tf.env().set('PROD', true);
  expect(registerNativeBackend()).toMatchObject({ available: true });
});

test('worker threads share the addon, agree, and the process ends by itself', () => {
  const child = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('../test/worker-child.mjs', import.meta.url)), addonPath],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  expect(child.stderr).toBe('');
  expect(child.stdout.trim()).toBe('all equal');
  expect([child.status, child.signal]).toEqual([0, null]);
});

test('two backends side by side: tensors move between them', () => {
  tf.setBackend('cpu');
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  tf.setBackend('native');
  const b = tf.matMul(a, a);
  tf.setBackend('cpu');
  expect([...tf.add(b, a).dataSync()]).toEqual([8, 12, 18, 26]);
  tf.setBackend('native');
  expect([...tf.add(b, a).dataSync()]).toEqual([8, 12, 18, 26]);
});

test('a wrong type, length or size is a TypeError, never a write outside a buffer', () => {
  const addon = nativeAddon() as unknown as Record<string, (...args: unknown[]) => unknown>;
  const floats = new Float32Array(4);
  expect(() => addon.scale(5, 2, floats)).toThrow(/native scale.*length 5.*length 4/);
  expect(() => addon.scale(4, 2, new Float64Array(4))).toThrow(/^native (scale|sums)/);
  expect(() => addon.scale(4, 2, [1, 2, 3, 4])).toThrow(/^native (scale|sums)/);
  expect(() => addon.scale(-1, 2, floats)).toThrow(/^native (scale|sums)/);
  expect(() => addon.scale(Number.NaN, 2, floats)).toThrow(/^native (scale|sums)/);
  expect(() => addon.scale()).toThrow(/^native (scale|sums)/);
  expect(() => addon.sums(0, 2, 3, floats, floats)).toThrow(/^native (scale|sums)/);
  const offsets = Int32Array.of(0, 3, 2);
  const sizes = [2, 2, 2, 1, 1, 1, 0, 0, 0, 1];
  expect(() => addon.attention(...sizes, floats, floats, floats, offsets, floats, new Float32Array(2))).toThrow(
    /offsets/,
  );
  const attention = (...rest: unknown[]) =>
    addon.attention(...sizes, floats, floats, floats, Int32Array.of(0, 2, 2), 0, ...rest, floats, new Float32Array(2));
  expect(() => attention(new Uint8Array(3), 0, undefined)).toThrow(/Uint8Array of length 4.*length 3/);
  expect(() => attention(new Int8Array(4), 0, undefined)).toThrow(/Uint8Array.*another type/);
  expect(() => attention(undefined, 2, new Float32Array(2))).toThrow(/odd number of bias rows/);
  expect(() => attention(undefined, 3, new Float32Array(2))).toThrow(/length 3.*length 2/);
  expect(() => attention(undefined, 3, undefined)).toThrow(/a bias together with its number of rows/);
});
