import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertDropout, assertOffsets, assertShape } from './assert-args.ts';
import { type Dropout, fusedKernel, type JaggedAttentionArgs, NO_DROPOUT } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { keepHash, keepThreshold } from './keep-mask.ts';
import { padSessions, type SessionGrid } from './pad-sessions.ts';
import { product } from './products.ts';
import { withGradient, withoutRows } from './with-gradient.ts';

export interface JaggedAttentionOptions {
  readonly numHeads?: number;
  /** Position i sees only positions ≤ i of its session. */
  readonly causal: boolean;
  /** Multiplies query · key; 1 / √(D / H) when not given. */
  readonly scale?: number;
  /** Drops attention probabilities; keyed by (packed query row · H + head, key's position in its session). */
  readonly dropout?: Dropout;
}

/**
 * Scaled dot-product attention in which every position sees its own session only (Vaswani et al. 2017, eq. 1).
 *
 * @param query [T, D]
 * @param key [T, D]
 * @param value [T, D]
 * @param offsets [B + 1]
 * @returns [T, D], heads side by side
 * @throws when D is not a multiple of numHeads or offsets do not end at T
 */
export function jaggedAttention(
  query: Tensor2D,
  key: Tensor2D,
  value: Tensor2D,
  offsets: Int32Array,
  options: JaggedAttentionOptions,
): Tensor2D {
  const { numHeads = 1, causal, dropout = NO_DROPOUT } = options;
  assertShape('jaggedAttention', 'query', query, [-1, -1]);
  assertShape('jaggedAttention', 'key', key, query.shape);
  assertShape('jaggedAttention', 'value', value, query.shape);
  assertOffsets('jaggedAttention', offsets, query.shape[0]);
  assertDropout('jaggedAttention', dropout);
  const [numPositions, width] = query.shape;
  if (!Number.isInteger(numHeads) || numHeads < 1 || width % numHeads !== 0) {
    throw new Error(
      `jaggedAttention: width ${width} cannot be split into ${numHeads} heads; choose a divisor of the width`,
    );
  }
  const scale = options.scale ?? 1 / Math.sqrt(width / numHeads);
  const rest = { offsets, numHeads, causal, scale, dropout };
  const forward = fusedKernel('jaggedAttention');
  const backward = fusedKernel('jaggedAttentionGradient');
  if (!forward || !backward) {
    if (numPositions === 0) return withoutRows([query, key, value], width);
    return jaggedAttentionReference({ query, key, value, ...rest });
  }
  return withGradient(
    [query, key, value],
    ([query, key, value]) => {
      const { y, logSumExp } = forward({ query, key, value, ...rest });
      return { value: y, saved: [y, logSumExp] };
    },
    (dy, [query, key, value], [y, logSumExp]) => {
      const g = backward({
        query,
        key,
        value,
        ...rest,
        dy,
        y: y as Tensor2D,
        logSumExp: logSumExp as Tensor2D,
      });
      return [g.query, g.key, g.value];
    },
  );
}

/** Pads inside, masks, and gathers the real rows back. Memory B · H · L². */
export function jaggedAttentionReference(args: JaggedAttentionArgs): Tensor2D {
  const { query, key, value, offsets, numHeads, causal, scale, dropout } = args;
  const width = query.shape[1];
  const grid = padSessions(offsets);
  const { numSessions, length } = grid;
  return tf.tidy(() => {
    const heads = (x: Tensor2D): Tensor4D =>
      tf.transpose(
        tf.reshape(gatherRows(x, grid.toGrid), [numSessions, length, numHeads, width / numHeads]) as Tensor4D,
        [0, 2, 1, 3],
      );
    const scores = tf.mul(product(heads(query), heads(key), false, true), scale);
    const mask = tf.tensor4d(attentionMask(offsets, length, causal), [numSessions, 1, length, length]);
    let probabilities = tf.softmax(tf.add(scores, mask)) as Tensor4D;
    if (dropout.rate > 0) {
      const keep = attentionKeepMask(dropout, offsets, grid, numHeads);
      probabilities = tf.mul(probabilities, tf.tensor4d(keep, probabilities.shape));
    }
    const mixed = tf.transpose(product<Tensor4D>(probabilities, heads(value)), [0, 2, 1, 3]);
    return gatherRows(tf.reshape(mixed, [numSessions * length, width]) as Tensor2D, grid.toPacked);
  });
}

/** 0 where a query may look, −1e9 where not; padding queries look at everything so that no row is empty. */
function attentionMask(offsets: Int32Array, length: number, causal: boolean): Float32Array {
  const numSessions = offsets.length - 1;
  const mask = new Float32Array(numSessions * length * length);
  for (let b = 0; b < numSessions; b++) {
    const real = offsets[b + 1] - offsets[b];
    for (let i = 0; i < real; i++) {
      const row = (b * length + i) * length;
      mask.fill(-1e9, row + (causal ? i + 1 : real), row + length);
    }
  }
  return mask;
}

function attentionKeepMask(dropout: Dropout, offsets: Int32Array, grid: SessionGrid, numHeads: number): Float32Array {
  const { numSessions, length } = grid;
  const threshold = keepThreshold(dropout.rate);
  const scale = 1 / (1 - dropout.rate);
  const keep = new Float32Array(numSessions * numHeads * length * length);
  for (let b = 0; b < numSessions; b++) {
    const real = offsets[b + 1] - offsets[b];
    for (let h = 0; h < numHeads; h++) {
      for (let i = 0; i < real; i++) {
        const cell = ((b * numHeads + h) * length + i) * length;
        const row = (offsets[b] + i) * numHeads + h;
        for (let j = 0; j < real; j++) {
          if (keepHash(dropout.seed, row, j) >= threshold) keep[cell + j] = scale;
        }
      }
    }
  }
  return keep;
}
