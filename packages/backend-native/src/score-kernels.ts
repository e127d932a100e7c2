import type { FusedKernels } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';

/** Rank of the target and the best items over the whole catalogue. */
export function createScoreKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    rankOfTarget({ hidden, table, bias, targetIds, firstRow, excluded }) {
      const ranks = new Int32Array(targetIds.length);
      addon.rank(
        hidden.shape[0],
        table.shape[0],
        table.shape[1],
        firstRow,
        backend.floats(hidden),
        backend.floats(table),
        bias && backend.floats(bias),
        targetIds,
        excluded?.offsets,
        excluded?.itemIds,
        ranks,
      );
      return ranks;
    },
    topK({ hidden, table, bias, k, firstRow, excluded }) {
      const rows = hidden.shape[0];
      const itemIds = new Int32Array(rows * k);
      const scores = new Float32Array(rows * k);
      const nonFiniteRow = addon.topK(
        rows,
        table.shape[0],
        table.shape[1],
        firstRow,
        k,
        backend.floats(hidden),
        backend.floats(table),
        bias && backend.floats(bias),
        excluded?.offsets,
        excluded?.itemIds,
        itemIds,
        scores,
      );
      if (nonFiniteRow >= 0) {
        throw new Error(
          `topK: the score of row ${nonFiniteRow} is NaN or infinite; the model has diverged (lower the learning rate) or its input holds NaN`,
        );
      }
      return { itemIds, scores };
    },
  } satisfies FusedKernels;
}
