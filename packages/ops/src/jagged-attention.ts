import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertDropout, assertOffsets, assertShape } from './assert-args.ts';
import {
  type AttentionKind,
  type Dropout,
  fusedKernel,
  type JaggedAttentionArgs,
  NO_DROPOUT,
  type PairBias,
  type RelativeScores,
} from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { hashInRow, keepThreshold, rowHash } from './keep-mask.ts';
import { padSessions, type SessionGrid } from './pad-sessions.ts';
import { product } from './products.ts';
import { withGradient, withoutRows } from './with-gradient.ts';

export interface JaggedAttentionOptions {
  readonly numHeads?: number;
  /** Position i sees only positions ≤ i of its session. */
  readonly causal: boolean;
  /** Multiplies query · key; when not given, 1 / √(D / H) for `softmax` and 1 for `silu`, as in the papers. */
  readonly scale?: number;
  /** Drops attention probabilities; keyed by (packed query row · H + head, key's position in its session). */
  readonly dropout?: Dropout;
  /**
   * What each query may see, besides what `causal` leaves: for a session of length L an L × L block, row-major, blocks laid
   * end to end; query i sees key j where the byte is not 0. Must not change until the gradient has been computed.
   */
  readonly mask?: Uint8Array;
  /** [2 R + 1, H], learned: row clip(j − i, −R, R) + R is added to the scaled score of query i and key j. */
  readonly relativeBias?: Tensor2D;
  /**
   * Position-based scores (Dai et al. 2019, "Transformer-XL", section 3.3, terms b and d): scale · query′[i] · keys[clip(j − i,
   * −R, R) + R], head by head, is added to the score of query i and key j. query′ [T, D], keys [2 R + 1, D].
   */
  readonly relative?: RelativeScores;
  /** Added to scores by what kind of pair it is, such as the time between the two (HSTU). */
  readonly pairBias?: PairBias;
  /** `softmax` when not given. */
  readonly kind?: AttentionKind;
}

/**
 * Attention in which every position sees its own session only: y[i] = Σⱼ a[i, j] value[j] over the keys j that i may see.
 *
 * With s[i, j] = scale · query[i] · key[j] + relativeBias[clip(j − i, −R, R) + R] and, with `relative`, + scale · query′[i] ·
 * keys[clip(j − i, −R, R) + R]:
 * - `softmax`: a[i, ·] = softmax(s[i, ·]) (Vaswani et al. 2017, eq. 1). The bias by distance is that of Raffel et al. 2020,
 *   section 2.1, with distances clipped (Shaw et al. 2018, eq. 4) instead of put in buckets.
 * - `silu`: a[i, j] = silu(s[i, j]) / L with L the session's length (HSTU's pointwise attention: Zhai et al. 2024, eq. 2).
 *   Differs from the paper: its equation leaves the division out, its code divides by the longest length. The bias by time is a `pairBias`.
 *
 * A position that sees no key gets y = 0, and gradients of 0 come back from it. Dropout applies to a.
 *
 * @param query [T, D]
 * @param key [T, D]
 * @param value [T, D]
 * @param offsets [B + 1]
 * @returns [T, D], heads side by side
 * @throws when D is not a multiple of numHeads, offsets do not end at T, the mask's length is not the sum of the squared
 *   session lengths, or relativeBias is not [an odd number, numHeads]
 */
export function jaggedAttention(
  query: Tensor2D,
  key: Tensor2D,
  value: Tensor2D,
  offsets: Int32Array,
  options: JaggedAttentionOptions,
): Tensor2D {
  const {
    numHeads = 1,
    causal,
    dropout = NO_DROPOUT,
    mask,
    relativeBias,
    relative,
    pairBias,
    kind = 'softmax',
  } = options;
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
  if (mask) assertMask(mask, offsets);
  if (relativeBias) assertRelativeBias(relativeBias, numHeads);
  if (relative) {
    assertShape('jaggedAttention', 'relative.query', relative.query, query.shape);
    assertShape('jaggedAttention', 'relative.keys', relative.keys, [-1, width]);
    assertOdd('relative.keys', relative.keys);
  }
  if (pairBias) assertPairBias(pairBias, offsets, numHeads);
  if (kind !== 'softmax' && kind !== 'silu') {
    throw new Error(`jaggedAttention: kind must be 'softmax' or 'silu', got '${String(kind)}'`);
  }
  const scale = options.scale ?? (kind === 'silu' ? 1 : 1 / Math.sqrt(width / numHeads));
  const rest = { offsets, numHeads, causal, scale, dropout, mask, kind };
  const pairBiasOf = (table?: Tensor2D) => table && pairBias && { table, kinds: pairBias.kinds };
  const forward = fusedKernel('jaggedAttention');
  const backward = fusedKernel('jaggedAttentionGradient');
  if (!forward || !backward) {
    if (numPositions === 0) {
      const inputs = [query, key, value, relativeBias, relative?.query, relative?.keys, pairBias?.table];
      return withoutRows(
        inputs.filter((input) => input !== undefined),
        width,
      );
    }
    return jaggedAttentionReference({ query, key, value, relativeBias, relative, pairBias, ...rest });
  }
  const relativeOf = (query?: Tensor2D, keys?: Tensor2D) => query && keys && { query, keys };
  return withGradient(
    [query, key, value, relativeBias, relative?.query, relative?.keys, pairBias?.table],
    ([query, key, value, relativeBias, relativeQuery, relativeKeys, pairTable]) => {
      const relative = relativeOf(relativeQuery, relativeKeys);
      const pairBias = pairBiasOf(pairTable);
      const { y, logSumExp } = forward({ query, key, value, relativeBias, relative, pairBias, ...rest });
      return { value: y, saved: [y, logSumExp] };
    },
    (dy, [query, key, value, relativeBias, relativeQuery, relativeKeys, pairTable], [y, logSumExp]) => {
      const g = backward({
        query,
        key,
        value,
        relativeBias,
        relative: relativeOf(relativeQuery, relativeKeys),
        pairBias: pairBiasOf(pairTable),
        ...rest,
        dy,
        y: y as Tensor2D,
        logSumExp: logSumExp as Tensor2D,
      });
      return [g.query, g.key, g.value, g.relativeBias, g.relative?.query, g.relative?.keys, g.pairTable];
    },
  );
}

function assertMask(mask: Uint8Array, offsets: Int32Array): void {
  if (!(mask instanceof Uint8Array)) throw new Error('jaggedAttention: mask must be a Uint8Array');
  const expected = numPairs(offsets);
  if (mask.length !== expected) {
    throw new Error(
      `jaggedAttention: mask has length ${mask.length}, expected ${expected}, the sum of the squared session lengths`,
    );
  }
}

function assertPairBias({ table, kinds }: PairBias, offsets: Int32Array, numHeads: number): void {
  assertShape('jaggedAttention', 'pairBias.table', table, [-1, numHeads]);
  const expected = numPairs(offsets);
  if (!(kinds instanceof Uint8Array) || kinds.length !== expected) {
    throw new Error(
      `jaggedAttention: pairBias.kinds must be a Uint8Array of length ${expected}, the sum of the squared session lengths`,
    );
  }
  for (let pair = 0; pair < kinds.length; pair++) {
    if (kinds[pair] < table.shape[0]) continue;
    throw new Error(
      `jaggedAttention: pairBias.kinds[${pair}] is ${kinds[pair]}, expected 0 … ${table.shape[0] - 1}, a row of the table`,
    );
  }
}

function numPairs(offsets: Int32Array): number {
  let pairs = 0;
  for (let b = 0; b + 1 < offsets.length; b++) pairs += (offsets[b + 1] - offsets[b]) ** 2;
  return pairs;
}

function assertRelativeBias(relativeBias: Tensor2D, numHeads: number): void {
  assertShape('jaggedAttention', 'relativeBias', relativeBias, [-1, numHeads]);
  assertOdd('relativeBias', relativeBias);
}

function assertOdd(name: string, rows: Tensor2D): void {
  if (rows.shape[0] % 2 === 1) return;
  throw new Error(
    `jaggedAttention: ${name} has ${rows.shape[0]} rows, expected an odd number: one for each distance −R … R`,
  );
}

/** Pads inside, masks, and gathers the real rows back. Memory B · H · L². */
export function jaggedAttentionReference(args: JaggedAttentionArgs): Tensor2D {
  const { query, key, value, offsets, numHeads, causal, scale, dropout, mask, relativeBias, relative, pairBias, kind } =
    args;
  const width = query.shape[1];
  const grid = padSessions(offsets);
  const { numSessions, length } = grid;
  return tf.tidy(() => {
    const heads = (x: Tensor2D): Tensor4D =>
      tf.transpose(
        tf.reshape(gatherRows(x, grid.toGrid), [numSessions, length, numHeads, width / numHeads]) as Tensor4D,
        [0, 2, 1, 3],
      );
    const pairs = (perPair: Float32Array): Tensor4D => tf.tensor4d(perPair, [numSessions, 1, length, length]);
    let scores = tf.mul(product(heads(query), heads(key), false, true), scale);
    if (relativeBias) scores = tf.add(scores, biasByDistance(relativeBias, length));
    if (relative) scores = tf.add(scores, tf.mul(scoresByDistance(relative, heads, numHeads, length), scale));
    if (pairBias) scores = tf.add(scores, biasByKind(pairBias, offsets, length));
    let weights: Tensor4D;
    if (kind === 'silu') {
      weights = tf.mul(tf.mul(scores, tf.sigmoid(scores)), pairs(visiblePairs(args, length, true)));
    } else {
      weights = tf.softmax(tf.add(scores, pairs(attentionMask(offsets, length, causal, mask))));
      // a row that sees nothing has had a softmax over hidden keys
      if (mask) weights = tf.mul(weights, pairs(visiblePairs(args, length, false)));
    }
    if (dropout.rate > 0) {
      const keep = attentionKeepMask(dropout, offsets, grid, numHeads);
      weights = tf.mul(weights, tf.tensor4d(keep, weights.shape));
    }
    const mixed = tf.transpose(product<Tensor4D>(weights, heads(value)), [0, 2, 1, 3]);
    return gatherRows(tf.reshape(mixed, [numSessions * length, width]) as Tensor2D, grid.toPacked);
  });
}

/** [B, H, length, length]: query′[i] · keys[j − i]. */
function scoresByDistance(
  { query, keys }: RelativeScores,
  heads: (x: Tensor2D) => Tensor4D,
  numHeads: number,
  length: number,
): Tensor4D {
  const [numRows, width] = keys.shape;
  const reach = (numRows - 1) / 2;
  const keysByHead = tf.transpose(tf.reshape(keys, [1, numRows, numHeads, width / numHeads]), [0, 2, 1, 3]);
  const grid = heads(query);
  const [numSessions] = grid.shape;
  const keysOfAll = tf.tile(keysByHead, [numSessions, 1, 1, 1]);
  const all = tf.reshape(product(grid, keysOfAll, false, true), [-1, 1]) as Tensor2D;
  const rows = Int32Array.from({ length: numSessions * numHeads * length * length }, (_, cell) => {
    const i = Math.floor(cell / length) % length;
    const distance = Math.max(-reach, Math.min(reach, (cell % length) - i));
    return Math.floor(cell / length) * numRows + distance + reach;
  });
  return tf.reshape(gatherRows(all, rows), [numSessions, numHeads, length, length]);
}

/** [B, H, length, length]: the bias of the kind of every pair; that of kind 0 for padding, which nothing reads. */
function biasByKind({ table, kinds }: PairBias, offsets: Int32Array, length: number): Tensor4D {
  const numSessions = offsets.length - 1;
  const rows = new Int32Array(numSessions * length * length);
  let at = 0;
  for (let b = 0; b < numSessions; b++) {
    const real = offsets[b + 1] - offsets[b];
    for (let i = 0; i < real; i++) {
      for (let j = 0; j < real; j++) rows[(b * length + i) * length + j] = kinds[at++];
    }
  }
  const perPair = tf.reshape(gatherRows(table, rows), [numSessions, length, length, table.shape[1]]) as Tensor4D;
  return tf.transpose(perPair, [0, 3, 1, 2]);
}

/** [1, H, length, length]: the bias of key j for query i. */
function biasByDistance(relativeBias: Tensor2D, length: number): Tensor4D {
  const [numRows, numHeads] = relativeBias.shape;
  const reach = (numRows - 1) / 2;
  const rows = Int32Array.from({ length: length * length }, (_, pair) => {
    const distance = (pair % length) - Math.floor(pair / length);
    return Math.max(-reach, Math.min(reach, distance)) + reach;
  });
  const perPair = tf.reshape(gatherRows(relativeBias, rows), [1, length, length, numHeads]) as Tensor4D;
  return tf.transpose(perPair, [0, 3, 1, 2]);
}

/** 0 where a query may look, −1e9 where not; padding queries look at everything so that no row is empty. */
function attentionMask(offsets: Int32Array, length: number, causal: boolean, visible?: Uint8Array): Float32Array {
  const numSessions = offsets.length - 1;
  const mask = new Float32Array(numSessions * length * length);
  let block = 0;
  for (let b = 0; b < numSessions; b++) {
    const real = offsets[b + 1] - offsets[b];
    for (let i = 0; i < real; i++) {
      const row = (b * length + i) * length;
      mask.fill(-1e9, row + (causal ? i + 1 : real), row + length);
      for (let j = 0; visible && j < real; j++) if (!visible[block + i * real + j]) mask[row + j] = -1e9;
    }
    block += real * real;
  }
  return mask;
}

/** 1 (or 1 / session length) where a query may look; 0 where not and for padding. */
function visiblePairs(args: JaggedAttentionArgs, length: number, overLength: boolean): Float32Array {
  const { offsets, causal, mask } = args;
  const numSessions = offsets.length - 1;
  const pairs = new Float32Array(numSessions * length * length);
  let block = 0;
  for (let b = 0; b < numSessions; b++) {
    const real = offsets[b + 1] - offsets[b];
    for (let i = 0; i < real; i++) {
      for (let j = 0; j < (causal ? i + 1 : real); j++) {
        if (mask?.[block + i * real + j] === 0) continue;
        pairs[(b * length + i) * length + j] = overLength ? 1 / real : 1;
      }
    }
    block += real * real;
  }
  return pairs;
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
        const hash = rowHash(dropout.seed, (offsets[b] + i) * numHeads + h);
        for (let j = 0; j < real; j++) {
          if (hashInRow(hash, j) >= threshold) keep[cell + j] = scale;
        }
      }
    }
  }
  return keep;
}
