import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { createCountingModel } from './counting-model.ts';
import { invertPositiveDefinite, product } from './ease/invert-positive-definite.ts';
import { defineModel } from './model-spec.ts';
import { currentSession } from './neighbors/current-session.ts';
import { DistinctItems } from './neighbors/distinct-items.ts';

/** The item × item matrix is dense: this many items need 3.2 GB for it and its inverse. */
const MOST_ITEMS = 20_000;

export const easeSchema = z.strictObject({
  regularization: z.number().positive().default(500).describe('λ: added to the diagonal; larger for less data.'),
});

/**
 * EASE: the linear item-to-item model without self-similarity that reconstructs the sessions best (Steck 2019,
 * "Embarrassingly Shallow Autoencoders for Sparse Data", eq. 8): with X the 0/1 matrix of sessions and items,
 * P = (XᵀX + λI)⁻¹, B_ij = −P_ij / P_jj for i ≠ j and B_ii = 0; score = x · B for the items of the session.
 *
 * A new window adds to XᵀX; the inverse is made anew at the next request. The order of clicks plays no part.
 *
 * @throws at the first request when the catalogue has more than 20,000 items
 */
export const ease = defineModel({
  kind: 'statistical',
  configSchema: easeSchema,
  create({ regularization }, size) {
    let { numRows } = size;
    let counts = new Float32Array(0);
    let weights: Float32Array | undefined;
    const distinct = new DistinctItems();
    const numItems = () => numRows - FIRST_ITEM_ID;
    const grow = () => {
      const n = numItems();
      if (n > MOST_ITEMS) {
        throw new Error(
          `ease: the catalogue has ${n} items, but its dense item × item matrix is limited to ${MOST_ITEMS}; ` +
            'filter rare items, or take itemKnn',
        );
      }
      const before = Math.sqrt(counts.length);
      if (before === n) return;
      const larger = new Float32Array(n * n);
      for (let i = 0; i < before; i++) larger.set(counts.subarray(i * before, (i + 1) * before), i * n);
      counts = larger;
    };
    return createCountingModel({
      name: 'ease',
      numRows,
      countsInParts: true,
      fitWindow({ itemIds, offsets }) {
        grow();
        weights = undefined;
        const n = numItems();
        for (let s = 1; s < offsets.length; s++) {
          const items = distinct.of(itemIds.subarray(offsets[s - 1], offsets[s]));
          for (const a of items) {
            if (a < FIRST_ITEM_ID) continue;
            const row = (a - FIRST_ITEM_ID) * n - FIRST_ITEM_ID;
            for (const b of items) if (b >= FIRST_ITEM_ID) counts[row + b]++;
          }
        }
      },
      score(batch, position, scores) {
        if (!weights) {
          grow();
          weights = itemWeights(counts, numItems(), regularization);
        }
        const n = numItems();
        for (const item of currentSession(batch, position).items) {
          const row = (item - FIRST_ITEM_ID) * n;
          for (let j = 0; j < n; j++) scores[FIRST_ITEM_ID + j] += weights[row + j];
        }
      },
      onResize(grown) {
        numRows = grown;
        weights = undefined;
      },
    });
  },
});

/** B [n, n] from XᵀX. */
function itemWeights(counts: Float32Array, n: number, regularization: number): Float32Array {
  const matrix = counts.slice();
  for (let i = 0; i < n; i++) matrix[i * n + i] += regularization;
  const inverse = invertPositiveDefinite(matrix, n);
  // One Newton–Schulz step, P + P(I − GP), takes out what float32 lost in the recursion.
  const residual = product([matrix, n, n], [inverse, n, n]);
  for (let i = 0; i < residual.length; i++) residual[i] = -residual[i];
  for (let i = 0; i < n; i++) residual[i * n + i] += 1;
  const correction = product([inverse, n, n], [residual, n, n]);
  for (let i = 0; i < inverse.length; i++) inverse[i] += correction[i];
  const diagonal = Float32Array.from({ length: n }, (_, i) => inverse[i * n + i]);
  const weights = correction;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) weights[i * n + j] = i === j ? 0 : -inverse[i * n + j] / diagonal[j];
  }
  return weights;
}
