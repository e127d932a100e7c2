import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertIndices, assertShape } from './assert-args.ts';
import { fusedKernel, type ProductPrecision, type SoftmaxHeadArgs } from './fused-kernels.ts';
import { gatherRows, scatterRows } from './gather-rows.ts';
import { productPrecision } from './product-precision.ts';
import { product } from './products.ts';
import { readingWaits } from './reading-waits.ts';
import { ofRows, weightedRows } from './weighted-rows.ts';
import { withGradient } from './with-gradient.ts';

export interface SoftmaxHeadOptions {
  /** Added to every item's logit [V]. */
  readonly bias?: Tensor1D;
  /** Logits are divided by it. */
  readonly temperature?: number;
  /** How much each row counts [N], finite and ≥ 0: the loss is then Σₙ wₙ lossₙ / Σₙ wₙ. All alike when absent. */
  readonly weights?: Float32Array;
  /** Share ε of the target's mass that is spread over all items. */
  readonly labelSmoothing?: number;
  /** `bfloat16` trades about 1e-5 of the loss and 1e-3 of the gradients for speed, where the backend can; see `withProductPrecision`. */
  readonly precision?: ProductPrecision;
}

/**
 * Logits of a block of rows in the reference, of which it holds four arrays at most: 16 MiB where the processor's caches
 * count, 256 MiB on a device that wants few large products.
 */
const MAX_LOGITS = { near: 1024 * 1024, device: 16 * 1024 * 1024 };

/**
 * Mean cross-entropy of the next item over the whole catalogue, with the item table as output layer:
 *
 * zₙᵥ = (hiddenₙ · tableᵥ + biasᵥ) / τ,  loss = 1/N Σₙ [ logΣᵥ exp zₙᵥ − (1 − ε) zₙ,target − ε · mean over v of zₙᵥ ].
 *
 * Reserved ids (below `FIRST_ITEM_ID`) take no part. Divided by the number of targets N, or by their weights together; 0 when N = 0.
 *
 * @param hidden [N, D]
 * @param table [V, D], row = item id
 * @param targetIds [N], each ≥ FIRST_ITEM_ID
 */
export function softmaxHead(
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  options: SoftmaxHeadOptions = {},
): Scalar {
  const { bias, temperature = 1, labelSmoothing = 0, precision = productPrecision(), weights } = options;
  assertShape('softmaxHead', 'hidden', hidden, [-1, -1]);
  assertShape('softmaxHead', 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape('softmaxHead', 'bias', bias, [table.shape[0]]);
  assertIndices('softmaxHead', 'targetIds', targetIds, table.shape[0]);
  assertTargets('softmaxHead', hidden, targetIds);
  if (!(temperature > 0)) throw new Error(`softmaxHead: temperature must be > 0, got ${temperature}`);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new Error(`softmaxHead: labelSmoothing must be in [0, 1), got ${labelSmoothing}`);
  }
  if (weights) {
    const { weights: _, ...same } = options;
    return weightedRows('softmaxHead', hidden, weights, (some, rows) =>
      softmaxHead(some, table, rows ? ofRows(targetIds, rows) : targetIds, same),
    );
  }
  const rest = { targetIds, firstRow: FIRST_ITEM_ID, temperature, labelSmoothing, precision };
  const withGradients = tf.engine().state.gradientDepth > 0;
  const run = fusedKernel('softmaxHead') ?? softmaxHeadReference;
  // Loss and gradients come out of the same pass over the table, so the gradients are made right away.
  return withGradient(
    [hidden, table, bias],
    ([hidden, table, bias]) => {
      const result = run({ hidden, table, bias, ...rest, withGradients });
      const saved = [result.hidden, result.table, result.bias].filter((g) => g !== undefined);
      return { value: result.loss, saved };
    },
    (dy, _inputs, saved) => saved.map((gradient) => scaleBy(gradient, dy)),
  );
}

/** A gradient that was made together with the loss, times the loss's own gradient. */
export function scaleBy(gradient: tf.Tensor, dy: Scalar): tf.Tensor {
  // The loss is nearly always the end of the graph, where dy is exactly 1: do not touch V × D numbers for that. A device
  // that would have to be waited for multiplies them sooner.
  return !readingWaits() && dy.dataSync()[0] === 1 ? gradient.clone() : tf.mul(gradient, dy);
}

/** @throws when the number of targets is not the number of rows, or a target is a reserved id. */
export function assertTargets(op: string, hidden: Tensor2D, targetIds: Int32Array): void {
  if (targetIds.length !== hidden.shape[0]) {
    throw new Error(`${op}: hidden has ${hidden.shape[0]} rows but targetIds has ${targetIds.length}`);
  }
  for (let n = 0; n < targetIds.length; n++) {
    if (targetIds[n] < FIRST_ITEM_ID) throw new Error(`${op}: targetIds[${n}] is the reserved id ${targetIds[n]}`);
  }
}

/**
 * Blocks of rows, so that memory does not grow with N × V. In the gradients the target's part, −(1 − ε) at one item per
 * row, is added for all rows together and never spread out over the items.
 */
export function softmaxHeadReference(
  args: SoftmaxHeadArgs & { withGradients: boolean },
  maxLogits = readingWaits() ? MAX_LOGITS.device : MAX_LOGITS.near,
): { loss: Scalar; hidden?: Tensor2D; table?: Tensor2D; bias?: Tensor1D } {
  const { hidden, table, bias, targetIds, firstRow, temperature, labelSmoothing, withGradients } = args;
  const [numRows, width] = hidden.shape;
  const numItems = table.shape[0] - firstRow;
  if (numRows === 0) {
    return {
      loss: tf.scalar(0),
      hidden: tf.zeros([0, width]),
      table: tf.zerosLike(table),
      bias: bias && tf.zerosLike(bias),
    };
  }
  const targets = targetIds.map((id) => id - firstRow);
  return tf.tidy(() => {
    const items = tf.slice(table, [firstRow, 0]);
    const itemsTransposed = tf.transpose(items);
    const biasRow = bias && tf.reshape(tf.slice(bias, [firstRow]), [1, numItems]);
    const size = Math.max(1, Math.floor(maxLogits / numItems));
    const blocks: HeadBlock[] = [];
    let dItemsTransposed: Tensor2D | undefined;
    let dBiasRow: Tensor2D | undefined;
    for (let start = 0; start < numRows; start += size) {
      const rows = tf.slice(hidden, [start, 0], [Math.min(size, numRows - start), width]);
      const block = headBlock(rows, items, itemsTransposed, biasRow, temperature, labelSmoothing, withGradients);
      blocks.push(block);
      if (block.dItemsTransposed) dItemsTransposed = addInto(dItemsTransposed, block.dItemsTransposed);
      if (block.dBiasRow) dBiasRow = addInto(dBiasRow, block.dBiasRow);
    }
    const targetItems = gatherRows(items, targets);
    let targetLogits = tf.sum(tf.mul(hidden, targetItems), 1);
    const biasColumn = biasRow && (tf.reshape(biasRow, [numItems, 1]) as Tensor2D);
    if (biasColumn) targetLogits = tf.add(targetLogits, tf.reshape(gatherRows(biasColumn, targets), [numRows]));
    const sum = blocks.reduce((total: tf.Tensor, block) => tf.add(total, block.sum), tf.scalar(0));
    const ofTargets = tf.mul(tf.sum(targetLogits), (1 - labelSmoothing) / temperature);
    const loss = tf.div(tf.sub(sum, ofTargets), numRows) as Scalar;
    if (!dItemsTransposed) return { loss };
    const targetWeight = 1 - labelSmoothing;
    const perLogit = 1 / (numRows * temperature);
    const dHidden = tf.concat(blocks.map(({ dRows }) => dRows as Tensor2D));
    const dItems = tf.sub(tf.transpose(dItemsTransposed), scatterRows(tf.mul(hidden, targetWeight), targets, numItems));
    const ones: Tensor2D = tf.fill([numRows, 1], targetWeight);
    const dBias =
      biasColumn && dBiasRow && tf.sub(tf.reshape(dBiasRow, [numItems, 1]), scatterRows(ones, targets, numItems));
    return {
      loss,
      hidden: tf.mul(tf.sub(dHidden, tf.mul(targetItems, targetWeight)), perLogit) as Tensor2D,
      table: withReservedRows(tf.mul(dItems, perLogit) as Tensor2D, firstRow),
      bias:
        dBias &&
        (tf.reshape(withReservedRows(tf.mul(dBias, perLogit) as Tensor2D, firstRow), [table.shape[0]]) as Tensor1D),
    };
  });
}

interface HeadBlock {
  /** Sum over the rows of log normaliser − ε · mean logit. */
  readonly sum: tf.Tensor;
  /** With s = softmax − ε / V [n, V]: s · items, (rowsᵀ · s) [D, V] and, with a bias, the column sums of s [1, V]. */
  readonly dRows?: Tensor2D;
  readonly dItemsTransposed?: Tensor2D;
  readonly dBiasRow?: Tensor2D;
}

function headBlock(
  rows: Tensor2D,
  items: Tensor2D,
  itemsTransposed: Tensor2D,
  biasRow: tf.Tensor | undefined,
  temperature: number,
  labelSmoothing: number,
  withGradients: boolean,
): HeadBlock {
  const numItems = items.shape[0];
  return tf.tidy(() => {
    const logits = tf.tidy(() => {
      const products = product(rows, itemsTransposed);
      const biased = biasRow ? tf.add(products, biasRow) : products;
      return temperature === 1 ? biased : tf.div(biased, temperature);
    }) as Tensor2D;
    const [shifted, highest] = tf.tidy(() => {
      const highest = tf.max(logits, 1, true);
      return [tf.sub(logits, highest), highest];
    });
    const raised = tf.exp(shifted);
    shifted.dispose();
    const normaliser = tf.sum(raised, 1, true);
    const logNormaliser = tf.add(tf.log(normaliser), highest);
    let sum = tf.sum(logNormaliser);
    if (labelSmoothing > 0) sum = tf.sub(sum, tf.mul(tf.sum(tf.mean(logits, 1)), labelSmoothing));
    logits.dispose();
    if (!withGradients) return { sum };
    const spread = tf.tidy(() => {
      const probabilities = tf.div(raised, normaliser);
      return labelSmoothing > 0 ? tf.sub(probabilities, labelSmoothing / numItems) : probabilities;
    }) as Tensor2D;
    raised.dispose();
    // Every product is a plain one: the small factor is turned, never the block of logits.
    return {
      sum,
      dRows: product<Tensor2D>(spread, items),
      dItemsTransposed: product<Tensor2D>(tf.transpose(rows), spread),
      dBiasRow: biasRow && (tf.sum(spread, 0, true) as Tensor2D),
    };
  });
}

/** total + part, with both given up. */
function addInto(total: Tensor2D | undefined, part: Tensor2D): Tensor2D {
  if (!total) return part;
  const sum = tf.add(total, part) as Tensor2D;
  tf.dispose([total, part]);
  return sum;
}

/** Puts rows of 0 before the first. */
function withReservedRows(x: Tensor2D, numReserved: number): Tensor2D {
  return tf.concat([tf.zeros([numReserved, x.shape[1]]), x], 0) as Tensor2D;
}
