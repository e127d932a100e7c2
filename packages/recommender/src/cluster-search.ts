import { FIRST_ITEM_ID } from '@nimue/batch';
import { topK } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { ItemSearch, ItemVectors } from './item-search.ts';
import { findCenters, nearestCenters } from './k-means.ts';
import { runSteps, type Steps } from './steps.ts';

export interface ClusterOptions {
  /** Default 4 · √items. */
  readonly numClusters?: number;
  /** Clusters whose items are looked at: more take longer and find more. Default 64. */
  readonly numProbes?: number;
  /** Of the random items that the clusters are found from. Default 1. */
  readonly seed?: number;
}

/** Items per cluster of the sample, and passes over it. */
const SAMPLED_PER_CLUSTER = 48;
const ITERATIONS = 6;
const ITEMS_PER_STEP = 10_000;

/**
 * Approximate search in clusters of items (an inverted file; Jégou, Douze & Schmid 2011, "Product Quantization for Nearest
 * Neighbor Search", §IV, without a quantizer): items are gathered around centers by k-means, and a state is compared with the
 * items of the clusters in which the best ones are to be expected. For catalogues in which looking at every item takes too
 * long. It needs no package, and takes seconds to build where `hnswSearch` takes minutes. Measure what it finds with
 * `Recommender.measureRecall`.
 *
 * @example
 * // A catalogue of 20 items is all of it in the clusters that are looked at.
 * recommender.useSearch(clusterSearch());
 * recommender.measureRecall([{ items: ['i1', 'i2'] }, { items: ['i5'] }], 5); // → 1
 */
export function clusterSearch({ numClusters, numProbes = 64, seed = 1 }: ClusterOptions = {}): ItemSearch {
  let centers: Float32Array = new Float32Array(0);
  /** Of `centers`, behind the rows that are reserved in every table [3 + C, W]. */
  let table: Tensor2D | undefined;
  /** Dense ids, cluster by cluster. */
  let members: Int32Array[] = [];
  const dispose = () => {
    table?.dispose();
    table = undefined;
    members = [];
  };
  return {
    *build(vectors) {
      dispose();
      const width = widthOf(vectors);
      const points = pointsOf(vectors, FIRST_ITEM_ID);
      const numItems = points.length / width;
      if (numItems === 0) return;
      const wanted = numClusters ?? Math.ceil(4 * Math.sqrt(numItems));
      const sampleSize = SAMPLED_PER_CLUSTER * wanted;
      centers = yield* findCenters(points, width, { numClusters: wanted, iterations: ITERATIONS, sampleSize, seed });
      const nearest = yield* nearestCenters(points, centers, width);
      members = idsByCluster(nearest, centers.length / width);
      const reaches = yield* reachesOf(points, centers, nearest, width);
      const rows = new Float32Array((FIRST_ITEM_ID + reaches.length) * (width + 1));
      reaches.forEach((reach, cluster) => {
        const at = (FIRST_ITEM_ID + cluster) * (width + 1);
        rows.set(centers.subarray(cluster * width, (cluster + 1) * width), at);
        rows[at + width] = reach;
      });
      table = tf.tensor2d(rows, [rows.length / (width + 1), width + 1]);
    },
    add(vectors, firstRow) {
      const points = pointsOf(vectors, firstRow);
      const width = widthOf(vectors);
      // Where there was no item before, all new ones are together.
      const nearest = table ? runSteps(nearestCenters(points, centers, width)) : new Int32Array(points.length / width);
      nearest.forEach((cluster, i) => {
        members[cluster] = joined([members[cluster] ?? new Int32Array(0), Int32Array.of(firstRow + i)]);
      });
    },
    find(hidden, count) {
      if (!table) return members[0] ?? new Int32Array(0);
      const probed = bestClusters(table, hidden, Math.min(numProbes, members.length));
      const found = joined(probed.map((cluster) => members[cluster]));
      if (found.length >= count || probed.length === members.length) return found;
      return joined(members);
    },
    dispose,
  };
}

/**
 * The clusters that are likely to hold the best items: those of the largest h · c + |h| · reach.
 *
 * @param table (c, reach) or, where items have a bias, (c, mean bias, reach)
 */
function bestClusters(table: Tensor2D, hidden: Float32Array, count: number): number[] {
  const question = new Float32Array(table.shape[1]).fill(1);
  question.set(hidden);
  question[question.length - 1] = Math.hypot(...hidden);
  const row = tf.tensor2d(question, [1, question.length]);
  try {
    return Array.from(topK(row, table, count).itemIds, (id) => id - FIRST_ITEM_ID);
  } finally {
    row.dispose();
  }
}

function widthOf({ width, bias }: ItemVectors): number {
  return width + (bias ? 1 : 0);
}

/** x, or (x, b), of the items from row `firstRow` on. */
function pointsOf({ table, width, bias }: ItemVectors, firstRow: number): Float32Array {
  const own = table.subarray(firstRow * width);
  if (!bias) return own;
  const numItems = own.length / width;
  const points = new Float32Array(numItems * (width + 1));
  for (let i = 0; i < numItems; i++) {
    points.set(own.subarray(i * width, (i + 1) * width), i * (width + 1));
    points[(i + 1) * (width + 1) - 1] = bias[firstRow + i];
  }
  return points;
}

/**
 * How much further than its center the best of a cluster's n items scores, per length of a state: σ √(2 ln n), the expected
 * largest of n normal numbers, with σ their standard deviation per dimension [C].
 */
function* reachesOf(
  points: Float32Array,
  centers: Float32Array,
  nearest: Int32Array,
  width: number,
): Steps<Float32Array> {
  const squares = new Float64Array(centers.length / width);
  const counts = new Int32Array(squares.length);
  for (const [i, cluster] of nearest.entries()) {
    counts[cluster]++;
    for (let d = 0; d < width; d++) squares[cluster] += (points[i * width + d] - centers[cluster * width + d]) ** 2;
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  return Float32Array.from(squares, (square, cluster) => {
    const n = Math.max(1, counts[cluster]);
    return Math.sqrt((square / (n * width)) * 2 * Math.log(n));
  });
}

function idsByCluster(clusterOf: Int32Array, numClusters: number): Int32Array[] {
  const counts = new Int32Array(numClusters);
  for (const cluster of clusterOf) counts[cluster]++;
  const members = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  clusterOf.forEach((cluster, i) => {
    members[cluster][counts[cluster]++] = FIRST_ITEM_ID + i;
  });
  return members;
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
