import { jest } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import { useBackend } from '../test/backends.ts';
import { dropout, fusedKernelFallbacks, gatherRows, registerFusedKernels, withReferenceOps } from './index.ts';

beforeAll(() => useBackend('cpu'));
afterAll(() => registerFusedKernels('cpu', {}));

test('an op takes the backend’s kernel, values and gradient; withReferenceOps takes the reference', () => {
  const calls: string[] = [];
  registerFusedKernels('cpu', {
    gatherRows: ({ rows }) => {
      calls.push('gatherRows');
      return tf.fill([rows.length, 2], 7);
    },
    scatterRows: ({ numRows }) => {
      calls.push('scatterRows');
      return tf.fill([numRows, 2], 5);
    },
  });
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const rows = Int32Array.of(1);
  expect([...gatherRows(x, rows).dataSync()]).toEqual([7, 7]);
  const gradient = tf.grad((x) => tf.sum(gatherRows(x as tf.Tensor2D, rows)));
  expect([...gradient(x).dataSync()]).toEqual([5, 5, 5, 5]);
  expect(calls).toEqual(['gatherRows', 'gatherRows', 'scatterRows']);
  expect(withReferenceOps(() => [...gatherRows(x, rows).dataSync()])).toEqual([3, 4]);
  expect(calls).toHaveLength(3);
});

test('what a backend lacks is warned of once and remembered by name', () => {
  registerFusedKernels('cpu', {});
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  for (let i = 0; i < 3; i++) dropout(tf.ones([2, 2]), { rate: 0.5, seed: 1 });
  expect(warn.mock.calls).toEqual([
    ['cpu backend: no kernel for dropout; its plain reference runs, slower; this is said once'],
  ]);
  warn.mockRestore();
  expect(fusedKernelFallbacks('cpu')).toEqual(['dropout']);
  expect(fusedKernelFallbacks('webgl')).toEqual([]);
});
