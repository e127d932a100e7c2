import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { ExcludedItems, RankOfTargetArgs, SampleItemsArgs, TopKArgs } from './fused-kernels.ts';
import { product } from './products.ts';
import { readNumbers } from './read-numbers.ts';
import { NonFiniteScoreError } from './score-rows.ts';
import type { TopItems } from './top-k.ts';
import { UNRANKED } from './unranked.ts';

// What the loops over scores in JavaScript compute, for backends whose tensors lie elsewhere: the scores stay there, and
// what comes back is a few numbers per row.

/** At most this many scores are held at a time (64 MiB of float32). */
const MAX_SCORES = 16 * 1024 * 1024;
/** Items whose probabilities are added up before a draw looks among them. */
const GROUP = 128;

interface BlockArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly firstRow: number;
}

/** Calls `visit(first row, scores [rows, V − firstRow])` for one block of rows after another. */
function scoreBlocks(
  op: string,
  { hidden, table, bias, firstRow }: BlockArgs,
  maxScores: number,
  visit: (start: number, scores: Tensor2D) => void,
): void {
  const [numRows, width] = hidden.shape;
  const numItems = table.shape[0] - firstRow;
  if (numRows === 0 || numItems === 0) return;
  const size = Math.max(1, Math.floor(maxScores / numItems));
  const items = tf.tidy(() => tf.transpose(tf.slice(table, [firstRow, 0])) as Tensor2D);
  const itemBias = bias && tf.slice(bias, [firstRow]);
  try {
    for (let start = 0; start < numRows; start += size) {
      const rows = Math.min(size, numRows - start);
      tf.engine().startScope();
      try {
        const products = product(tf.slice(hidden, [start, 0], [rows, width]), items);
        const scores = (itemBias ? tf.add(products, itemBias) : products) as Tensor2D;
        assertFinite(op, scores, start, firstRow);
        visit(start, scores);
      } finally {
        tf.engine().endScope();
      }
    }
  } finally {
    tf.dispose(itemBias ? [items, itemBias] : [items]);
  }
}

/** x · 0 is 0 for finite numbers and NaN for all others, and a sum with a NaN in it is NaN. */
function assertFinite(op: string, scores: Tensor2D, start: number, firstRow: number): void {
  if (tf.tidy(() => tf.sum(tf.mul(scores, 0)).dataSync()[0]) === 0) return;
  const values = scores.dataSync();
  const at = values.findIndex((value) => !Number.isFinite(value));
  const numItems = scores.shape[1];
  throw new NonFiniteScoreError(op, start + Math.floor(at / numItems), firstRow + (at % numItems), values[at]);
}

/** The same ranks as `rankOfTargetReference`. */
export function ranksOnDevice(args: RankOfTargetArgs, maxScores = MAX_SCORES): Int32Array {
  const ranks = new Int32Array(args.targetIds.length).fill(UNRANKED);
  scoreBlocks('rankOfTarget', args, maxScores, (start, scores) => rankBlock(args, start, scores, ranks));
  return ranks;
}

/** The same items and scores as `topKReference`. */
export function bestOnDevice(args: TopKArgs, maxScores = MAX_SCORES): TopItems {
  const best = emptyBest(args);
  scoreBlocks('topK', args, maxScores, (start, scores) => bestOfBlock(args, start, scores, best));
  return best;
}

/** Both, with every score computed once. */
export function ranksAndBestOnDevice(
  args: RankOfTargetArgs & TopKArgs,
  maxScores = MAX_SCORES,
): { ranks: Int32Array } & TopItems {
  const ranks = new Int32Array(args.targetIds.length).fill(UNRANKED);
  const best = emptyBest(args);
  scoreBlocks('rankAndTopK', args, maxScores, (start, scores) => {
    rankBlock(args, start, scores, ranks);
    bestOfBlock(args, start, scores, best);
  });
  return { ranks, ...best };
}

function emptyBest({ hidden, k }: TopKArgs): { itemIds: Int32Array; scores: Float32Array } {
  const length = hidden.shape[0] * k;
  return { itemIds: new Int32Array(length), scores: new Float32Array(length).fill(Number.NEGATIVE_INFINITY) };
}

function rankBlock(
  { targetIds, firstRow, excluded }: RankOfTargetArgs,
  start: number,
  scores: Tensor2D,
  ranks: Int32Array,
): void {
  const numRows = scores.shape[0];
  const targets = targetIds.subarray(start, start + numRows);
  // A reserved id stands at column 0, whose count nothing reads.
  const targetScores = scoresAt(
    scores,
    Int32Array.from({ length: numRows }, (_, n) => n),
    targets.map((id) => Math.max(0, id - firstRow)),
  );
  // Counted in float32, exact up to 2²⁴ items: an int32 sum would leave the device.
  const numAtLeast = tf.tidy(() =>
    tf
      .sum(tf.cast(tf.greaterEqual(scores, tf.reshape(targetScores, [numRows, 1])), 'float32'), 1)
      .dataSync<'float32'>(),
  );
  const hidden = excludedCells(excluded, start, numRows, firstRow);
  const hiddenScores = hidden.rows.length > 0 ? scoresAt(scores, hidden.rows, hidden.columns).dataSync() : [];
  const thresholds = targetScores.dataSync();
  for (let n = 0; n < numRows; n++) if (targets[n] >= firstRow) ranks[start + n] = numAtLeast[n];
  for (let e = 0; e < hidden.rows.length; e++) {
    const n = hidden.rows[e];
    if (targets[n] < firstRow || hidden.columns[e] === targets[n] - firstRow) continue;
    if (hiddenScores[e] >= thresholds[n]) ranks[start + n]--;
  }
}

function bestOfBlock(
  { k, firstRow, excluded }: TopKArgs,
  start: number,
  scores: Tensor2D,
  best: { itemIds: Int32Array; scores: Float32Array },
): void {
  const [numRows, numItems] = scores.shape;
  let numExcluded = 0;
  if (excluded) {
    for (let n = start; n < start + numRows; n++) {
      numExcluded = Math.max(numExcluded, excluded.offsets[n + 1] - excluded.offsets[n]);
    }
  }
  // So many more that k are left whatever is excluded among them. Equal values come in order of rising index.
  const depth = Math.min(numItems, k + numExcluded);
  const { values, indices } = tf.topk(scores, depth, true);
  const [topScores, topColumns] = [values.dataSync(), indices.dataSync()];
  for (let n = 0; n < numRows; n++) {
    const row = start + n;
    const hidden = new Set(excluded?.itemIds.subarray(excluded.offsets[row], excluded.offsets[row + 1]));
    let place = 0;
    for (let d = 0; d < depth && place < k; d++) {
      const itemId = topColumns[n * depth + d] + firstRow;
      if (hidden.has(itemId)) continue;
      best.itemIds[row * k + place] = itemId;
      best.scores[row * k + place] = topScores[n * depth + d];
      place++;
    }
  }
}

/**
 * The draws of `sampleItemsReference`, by sums over groups of items first and within the drawn group then. Sums in float32
 * can move a draw that lies within rounding of the border between two items.
 */
export function samplesOnDevice(
  { temperature, uniforms, ...args }: SampleItemsArgs,
  maxScores = MAX_SCORES,
): Int32Array {
  const itemIds = new Int32Array(uniforms.length);
  scoreBlocks('sampleItems', args, maxScores, (start, scores) => {
    const [numRows, numItems] = scores.shape;
    const numGroups = Math.ceil(numItems / GROUP);
    const weights = tf.tidy(() => {
      const raised = tf.exp(tf.div(tf.sub(scores, tf.max(scores, 1, true)), temperature));
      const padded = tf.pad2d(raised as Tensor2D, [
        [0, 0],
        [0, numGroups * GROUP - numItems],
      ]);
      return tf.reshape(padded, [numRows * numGroups, GROUP]) as Tensor2D;
    });
    const sums = readNumbers(() => tf.sum(weights, 1));
    const left = new Float64Array(numRows);
    const cells = Int32Array.from({ length: numRows }, (_, n) => {
      const own = sums.subarray(n * numGroups, (n + 1) * numGroups);
      left[n] = uniforms[start + n] * own.reduce((total, sum) => total + sum, 0);
      return n * numGroups + walk(own, numGroups - 1, left, n);
    });
    const drawn = readNumbers(() => tf.gather(weights, tf.tensor1d(cells, 'int32')));
    for (let n = 0; n < numRows; n++) {
      const first = (cells[n] % numGroups) * GROUP;
      const last = Math.min(GROUP, numItems - first) - 1;
      itemIds[start + n] = args.firstRow + first + walk(drawn.subarray(n * GROUP, (n + 1) * GROUP), last, left, n);
    }
  });
  return itemIds;
}

/** The first place at which the sum exceeds what is left, or the last place; takes off what lies before it. */
function walk(values: Float32Array, last: number, left: Float64Array, n: number): number {
  let place = 0;
  while (place < last && left[n] >= values[place]) left[n] -= values[place++];
  return place;
}

/** Every excluded item once, as (row of the block, column). */
function excludedCells(
  excluded: ExcludedItems | undefined,
  start: number,
  numRows: number,
  firstRow: number,
): { rows: Int32Array; columns: Int32Array } {
  const rows: number[] = [];
  const columns: number[] = [];
  for (let n = 0; excluded && n < numRows; n++) {
    const ids = excluded.itemIds.subarray(excluded.offsets[start + n], excluded.offsets[start + n + 1]);
    for (const id of new Set(ids)) {
      if (id < firstRow) continue;
      rows.push(n);
      columns.push(id - firstRow);
    }
  }
  return { rows: Int32Array.from(rows), columns: Int32Array.from(columns) };
}

function scoresAt(scores: Tensor2D, rows: Int32Array, columns: Int32Array): Tensor1D {
  const cells = new Int32Array(2 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    cells[2 * i] = rows[i];
    cells[2 * i + 1] = columns[i];
  }
  return tf.tidy(() => tf.gatherND(scores, tf.tensor2d(cells, [rows.length, 2], 'int32')) as Tensor1D);
}
