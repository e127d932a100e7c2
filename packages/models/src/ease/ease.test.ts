import { readFileSync } from 'node:fs';
import { packSessions } from '@nimue/batch';
import { assertClose, createRandom, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { ease } from '../ease.ts';
import type { StatisticalModel } from '../next-item-model.ts';
import { invertPositiveDefinite } from './invert-positive-definite.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test.each([1, 2, 63, 64, 65, 150])('the inverse of a random %s × matrix times the matrix is the identity', (n) => {
  const values = randomFloats(n * n, createRandom(n));
  tf.tidy(() => {
    const x = tf.tensor2d(values, [n, n]);
    const matrix = tf.add(tf.matMul(x, x, true), tf.mul(tf.eye(n), 2)) as tf.Tensor2D;
    const inverse = invertPositiveDefinite(matrix.dataSync() as Float32Array, n);
    const identity = tf.matMul(tf.tensor2d(inverse, [n, n]), matrix);
    assertClose('P · G', identity.dataSync(), tf.eye(n).dataSync(), 1e-3);
  });
});

test('a regularisation far below the counts of popular items survives float32', () => {
  // Counts as sessions of hundreds of popular items give them: one eigenvalue near 4 · 10⁵ beside λ = 500, like ml-1m's.
  const [n, numSessions, regularization] = [200, 3000, 500];
  const random = createRandom(4);
  const counts = new Float32Array(n * n);
  for (let s = 0; s < numSessions; s++) {
    const items = Array.from({ length: n }, (_, i) => i).filter((i) => random() < 0.95 - (0.4 * i) / n);
    for (const a of items) for (const b of items) counts[a * n + b]++;
  }
  for (let i = 0; i < n; i++) counts[i * n + i] += regularization;
  const inverse = invertPositiveDefinite(counts, n);
  const exact = invertInFloat64(counts, n);
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)));
  assertClose(
    'P',
    inverse.map((value) => value / largest),
    exact.map((value) => value / largest),
    1e-4,
  );
});

/** Gauss–Jordan elimination; a positive definite matrix needs no pivoting. */
function invertInFloat64(matrix: Float32Array, n: number): Float64Array {
  const a = Float64Array.from(matrix);
  for (let pivot = 0; pivot < n; pivot++) {
    const value = a[pivot * n + pivot];
    a[pivot * n + pivot] = 1;
    for (let j = 0; j < n; j++) a[pivot * n + j] /= value;
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = a[i * n + pivot];
      a[i * n + pivot] = 0;
      for (let j = 0; j < n; j++) a[i * n + j] -= factor * a[pivot * n + j];
    }
  }
  return a;
}

test('a matrix that is not positive definite is refused', () => {
  expect(() => invertPositiveDefinite(Float32Array.of(1, 2, 2, 1), 2)).toThrow('not positive definite');
});

interface Fixture {
  readonly regularization: number;
  readonly sessions: number[][];
  readonly queries: number[][];
  readonly scores: number[][];
}

test('scores as numpy computes them in float64, in one window or two', () => {
  const fixture = JSON.parse(
    readFileSync(new URL('../../fixtures/ease-scores.json', import.meta.url), 'utf8'),
  ) as Fixture;
  const { regularization, sessions, queries, scores } = fixture;
  const numItems = scores[0].length;
  for (const windows of [[sessions], [sessions.slice(0, 31), sessions.slice(31)]]) {
    const model = ease.create({ regularization }, { numRows: numItems + 1, seed: 0 }) as StatisticalModel;
    windows.forEach((window, w) => {
      // The catalogue grows to its full size before the last window only.
      if (w === windows.length - 1) model.resizeItems(numItems + 3);
      const { itemIds, offsets } = packSessions(window);
      model.fitWindow({ itemIds, offsets });
    });
    queries.forEach((query, q) => {
      const batch = packSessions([query], { positions: Int32Array.of(query.length - 1), itemIds: Int32Array.of(3) });
      const top = model.recommend(batch, numItems);
      const actual = new Float64Array(numItems);
      top.itemIds.forEach((id, place) => {
        actual[id - 3] = top.scores[place];
      });
      assertClose(`query ${q}`, actual, scores[q], 1e-5);
    });
  }
});
