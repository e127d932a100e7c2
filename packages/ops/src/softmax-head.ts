import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertIndices, assertShape } from './assert-args.ts';
import { fusedKernel, type ProductPrecision, type SoftmaxHeadArgs } from './fused-kernels.ts';
import { gatherRows, scatterRows } from './gather-rows.ts';
import { productPrecision } from './product-precision.ts';
import { product } from './products.ts';
import { withGradient } from './with-gradient.ts';

export interface SoftmaxHeadOptions {
  /** Added to every item's logit [V]. */
  readonly bias?: Tensor1D;
  /** Logits are divided by it. */
  readonly temperature?: number;
  /** Share ε of the target's mass that is spread over all items. */
  readonly labelSmoothing?: number;
  /** `bfloat16` trades about 1e-5 of the loss and 1e-3 of the gradients for speed, where the backend can; see `withProductPrecision`. */
  readonly precision?: ProductPrecision;
}

/** The reference holds at most this many logits at a time (64 MiB of float32). */
const MAX_LOGITS = 16 * 1024 * 1024;

/**
 * Mean cross-entropy of the next item over the whole catalogue, with the item table as output layer:
 *
 * zₙᵥ = (hiddenₙ · tableᵥ + biasᵥ) / τ,  loss = 1/N Σₙ [ logΣᵥ exp zₙᵥ − (1 − ε) zₙ,target − ε · mean over v of zₙᵥ ].
 *
 * Reserved ids (below `FIRST_ITEM_ID`) take no part. Divided by the number of targets N; 0 when N = 0.
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
  const { bias, temperature = 1, labelSmoothing = 0, precision = productPrecision() } = options;
  assertShape('softmaxHead', 'hidden', hidden, [-1, -1]);
  assertShape('softmaxHead', 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape('softmaxHead', 'bias', bias, [table.shape[0]]);
  assertIndices('softmaxHead', 'targetIds', targetIds, table.shape[0]);
  assertTargets('softmaxHead', hidden, targetIds);
  if (!(temperature > 0)) throw new Error(`softmaxHead: temperature must be > 0, got ${temperature}`);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new Error(`softmaxHead: labelSmoothing must be in [0, 1), got ${labelSmoothing}`);
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
  // The loss is nearly always the end of the graph, where dy is exactly 1: do not touch V × D numbers for that.
  return dy.dataSync()[0] === 1 ? gradient.clone() : tf.mul(gradient, dy);
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

/** Blocks of rows so that no more than `MAX_LOGITS` logits exist at a time. */
export function softmaxHeadReference(
  args: SoftmaxHeadArgs & { withGradients: boolean },
  maxLogits = MAX_LOGITS,
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
    const biasColumn = bias && (tf.reshape(tf.slice(bias, [firstRow]), [numItems, 1]) as Tensor2D);
    const biasRow = biasColumn && tf.reshape(biasColumn, [1, numItems]);
    const rowWeight = 1 / (numRows * temperature);
    const block = Math.max(1, Math.floor(maxLogits / numItems));
    let sum: Scalar = tf.scalar(0);
    const dHidden: Tensor2D[] = [];
    let dItems: Tensor2D = tf.zerosLike(items);
    let dBias = biasColumn && tf.zerosLike(biasColumn);
    for (let start = 0; start < numRows; start += block) {
      const rows = tf.slice(hidden, [start, 0], [Math.min(block, numRows - start), width]);
      const rowTargets = targets.subarray(start, start + rows.shape[0]);
      const part = tf.tidy(() => {
        const products = product(rows, itemsTransposed);
        const logits = tf.div(biasRow ? tf.add(products, biasRow) : products, temperature) as Tensor2D;
        const logNormaliser = tf.logSumExp(logits, 1, true);
        const targetItems = gatherRows(items, rowTargets);
        const targetProducts = tf.sum(tf.mul(rows, targetItems), 1, true) as Tensor2D;
        const targetBias = biasColumn && gatherRows(biasColumn, rowTargets);
        const targetLogits = tf.div(targetBias ? tf.add(targetProducts, targetBias) : targetProducts, temperature);
        let losses = tf.sub(logNormaliser, tf.mul(targetLogits, 1 - labelSmoothing));
        if (labelSmoothing > 0) losses = tf.sub(losses, tf.mul(tf.mean(logits, 1, true), labelSmoothing));
        if (!withGradients) return { sum: tf.sum(losses) as Scalar };
        // ∂loss/∂logits = softmax − ε/V for every item, and −(1 − ε) more at the target, which is never spread out to N × V.
        const probabilities = tf.exp(tf.sub(logits, logNormaliser));
        const spread = labelSmoothing > 0 ? tf.sub(probabilities, labelSmoothing / numItems) : probabilities;
        const dLogits = tf.mul(spread, rowWeight) as Tensor2D;
        const targetWeight = (1 - labelSmoothing) * rowWeight;
        const ones: Tensor2D = tf.fill([rows.shape[0], 1], targetWeight);
        return {
          sum: tf.sum(losses) as Scalar,
          dRows: tf.sub(product<Tensor2D>(dLogits, items), tf.mul(targetItems, targetWeight)) as Tensor2D,
          dItems: tf.sub(
            product<Tensor2D>(dLogits, rows, true, false),
            scatterRows(tf.mul(rows, targetWeight), rowTargets, numItems),
          ) as Tensor2D,
          dBias:
            biasColumn &&
            (tf.sub(
              tf.reshape(tf.sum(dLogits, 0), [numItems, 1]),
              scatterRows(ones, rowTargets, numItems),
            ) as Tensor2D),
        };
      });
      sum = tf.add(sum, part.sum);
      if (part.dRows) dHidden.push(part.dRows);
      if (part.dItems) dItems = tf.add(dItems, part.dItems);
      if (part.dBias && dBias) dBias = tf.add(dBias, part.dBias);
    }
    const loss = tf.div(sum, numRows) as Scalar;
    if (!withGradients) return { loss };
    return {
      loss,
      hidden: tf.concat(dHidden, 0),
      table: withReservedRows(dItems, firstRow),
      bias: dBias && (tf.reshape(withReservedRows(dBias, firstRow), [table.shape[0]]) as Tensor1D),
    };
  });
}

/** Puts rows of 0 before the first. */
function withReservedRows(x: Tensor2D, numReserved: number): Tensor2D {
  return tf.concat([tf.zeros([numReserved, x.shape[1]]), x], 0) as Tensor2D;
}
