import type { JaggedAttentionOptions } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

export interface AttendNewestOptions
  extends Pick<JaggedAttentionOptions, 'numHeads' | 'scale' | 'kind' | 'relativeBias'> {
  /** Queries [n, D] and keys by distance [L, D]: row d is that of a key d events before the query. */
  readonly relative?: { readonly query: Tensor2D; readonly keysByDistance: Tensor2D };
  /** Bias [kinds, H] and, for every pair of a new event and an event, its kind [n · L]. */
  readonly pairBias?: { readonly table: Tensor2D; readonly kinds: Uint8Array };
  /** What `silu` weights are divided by; the number of events when not given. */
  readonly divisor?: number;
}

/**
 * Causal attention of the newest events of one session: the rows that `jaggedAttention` would give them, from keys and values
 * of the whole session that were kept. The work grows with the session's length, not with its square.
 *
 * @param query of the n newest events [n, D]
 * @param key of all L events [L, D]
 * @param value [L, D]
 * @returns [n, D]
 */
export function attendNewest(query: Tensor2D, key: Tensor2D, value: Tensor2D, options: AttendNewestOptions): Tensor2D {
  const { numHeads = 1, kind = 'softmax', relative, relativeBias, pairBias } = options;
  const [numNew, width] = query.shape;
  const length = key.shape[0];
  const headWidth = width / numHeads;
  const scale = options.scale ?? (kind === 'silu' ? 1 : 1 / Math.sqrt(headWidth));
  const divisor = options.divisor ?? length;
  const [q, k, v] = [query, key, value].map((tensor) => tensor.dataSync());
  const byPosition = relative && { q: relative.query.dataSync(), keys: relative.keysByDistance.dataSync() };
  const byDistance = relativeBias?.dataSync();
  const reach = relativeBias ? (relativeBias.shape[0] - 1) / 2 : 0;
  const byKind = pairBias?.table.dataSync();
  const mixed = new Float32Array(numNew * width);
  const weights = new Float64Array(length);
  for (let n = 0; n < numNew; n++) {
    const place = length - numNew + n;
    for (let head = 0; head < numHeads; head++) {
      const from = head * headWidth;
      let largest = Number.NEGATIVE_INFINITY;
      for (let j = 0; j <= place; j++) {
        let score = dot(q, n * width + from, k, j * width + from, headWidth);
        if (byPosition)
          score += dot(byPosition.q, n * width + from, byPosition.keys, (place - j) * width + from, headWidth);
        score *= scale;
        if (byDistance) score += byDistance[(Math.max(-reach, j - place) + reach) * numHeads + head];
        if (byKind && pairBias) score += byKind[pairBias.kinds[n * length + j] * numHeads + head];
        weights[j] = score;
        if (score > largest) largest = score;
      }
      let sum = 0;
      for (let j = 0; j <= place; j++) {
        weights[j] = kind === 'silu' ? weights[j] / (1 + Math.exp(-weights[j])) : Math.exp(weights[j] - largest);
        sum += weights[j];
      }
      const total = kind === 'silu' ? divisor : sum;
      for (let d = 0; d < headWidth; d++) {
        let entry = 0;
        for (let j = 0; j <= place; j++) entry += weights[j] * v[j * width + from + d];
        mixed[n * width + from + d] = entry / total;
      }
    }
  }
  return tf.tensor2d(mixed, [numNew, width]);
}

function dot(a: ArrayLike<number>, fromA: number, b: ArrayLike<number>, fromB: number, length: number): number {
  let sum = 0;
  for (let d = 0; d < length; d++) sum += a[fromA + d] * b[fromB + d];
  return sum;
}
