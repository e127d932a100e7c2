import { FIRST_ITEM_ID } from '@nimue/batch';
import { deriveSeed, mix32, topK } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import type { Steps } from './steps.ts';

/** Points compared with the centers by one product. */
const POINTS_PER_STEP = 1024;

export interface KMeansOptions {
  readonly numClusters: number;
  /** Times that every point of the sample is given to its nearest center, and every center moved to the mean of its points. */
  readonly iterations: number;
  /** Points that the centers are found from. */
  readonly sampleSize: number;
  readonly seed: number;
}

/**
 * Centers [C, W] of points [N, W] by Lloyd's algorithm on a random sample, from random points of it. A center to which no point
 * is nearest starts again from a random one.
 *
 * @returns no more centers than there are points
 */
export function* findCenters(points: Float32Array, width: number, options: KMeansOptions): Steps<Float32Array> {
  const numPoints = points.length / width;
  const sample = drawDistinct(numPoints, Math.min(numPoints, options.sampleSize), options.seed);
  const numClusters = Math.min(options.numClusters, sample.length);
  const sampled = new Float32Array(sample.length * width);
  for (let n = 0; n < sample.length; n++) {
    sampled.set(points.subarray(sample[n] * width, (sample[n] + 1) * width), n * width);
  }
  // The sample is in random order, so its first points are random ones.
  const centers = sampled.slice(0, numClusters * width);
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    const nearest = yield* nearestCenters(sampled, centers, width);
    const counts = new Int32Array(numClusters);
    const sums = new Float64Array(numClusters * width);
    for (let n = 0; n < sample.length; n++) {
      const center = nearest[n];
      counts[center]++;
      for (let d = 0; d < width; d++) sums[center * width + d] += sampled[n * width + d];
      if (n % POINTS_PER_STEP === POINTS_PER_STEP - 1) yield;
    }
    for (let center = 0; center < numClusters; center++) {
      const n = mix32(deriveSeed(options.seed, iteration) ^ center) % sample.length;
      for (let d = 0; d < width; d++) {
        const at = center * width + d;
        centers[at] = counts[center] > 0 ? sums[at] / counts[center] : sampled[n * width + d];
      }
    }
    yield;
  }
  return centers;
}

/** The nearest center of every point [N]: the one with the largest p · c − |c|² / 2. */
export function* nearestCenters(points: Float32Array, centers: Float32Array, width: number): Steps<Int32Array> {
  const numPoints = points.length / width;
  const nearest = new Int32Array(numPoints);
  const { table, bias } = tablesOf(centers, width);
  try {
    for (let from = 0; from < numPoints; from += POINTS_PER_STEP) {
      const end = Math.min(numPoints, from + POINTS_PER_STEP);
      const rows = tf.tensor2d(points.subarray(from * width, end * width), [end - from, width]);
      try {
        const { itemIds } = topK(rows, table, 1, { bias });
        for (let n = from; n < end; n++) nearest[n] = itemIds[n - from] - FIRST_ITEM_ID;
      } finally {
        rows.dispose();
      }
      yield;
    }
  } finally {
    tf.dispose([table, bias]);
  }
  return nearest;
}

/** The centers behind rows that `topK` leaves out, and − |c|² / 2. */
function tablesOf(centers: Float32Array, width: number) {
  const numRows = FIRST_ITEM_ID + centers.length / width;
  const table = new Float32Array(numRows * width);
  table.set(centers, FIRST_ITEM_ID * width);
  const bias = new Float32Array(numRows);
  for (let row = FIRST_ITEM_ID; row < numRows; row++) {
    let square = 0;
    for (let d = 0; d < width; d++) square += table[row * width + d] ** 2;
    bias[row] = -square / 2;
  }
  return { table: tf.tensor2d(table, [numRows, width]), bias: tf.tensor1d(bias) };
}

/** `count` different numbers below `size`, in random order. */
function drawDistinct(size: number, count: number, seed: number): Int32Array {
  const numbers = new Int32Array(size);
  for (let i = 0; i < size; i++) numbers[i] = i;
  for (let i = 0; i < count; i++) {
    const other = i + (mix32(seed ^ mix32(i)) % (size - i));
    [numbers[i], numbers[other]] = [numbers[other], numbers[i]];
  }
  return numbers.subarray(0, count);
}
