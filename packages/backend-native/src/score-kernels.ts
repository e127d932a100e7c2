import type { FusedKernels, RankAndTopKArgs } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';

/** What one pass over the catalogue is to find. */
type Wanted = Omit<RankAndTopKArgs, 'targetIds'> & { readonly targetIds: Int32Array | undefined };

/** Rank of the target, the best items and draws over the whole catalogue. */
export function createScoreKernels(backend: NativeBackend) {
  const score = ({ hidden, table, bias, targetIds, k, firstRow, excluded }: Wanted) => {
    const numRows = hidden.shape[0];
    const ranks = targetIds && new Int32Array(numRows);
    const itemIds = k > 0 ? new Int32Array(numRows * k) : undefined;
    const scores = k > 0 ? new Float32Array(numRows * k) : undefined;
    const nonFiniteRow = backend.addon.scores(
      numRows,
      table.shape[0],
      table.shape[1],
      firstRow,
      k,
      backend.floats(hidden),
      backend.floats(table),
      bias && backend.floats(bias),
      targetIds,
      excluded?.offsets,
      excluded?.itemIds,
      ranks,
      itemIds,
      scores,
    );
    return { ranks, itemIds, scores, nonFiniteRow };
  };
  return {
    rankOfTarget(args) {
      const { ranks, nonFiniteRow } = score({ ...args, k: 0 });
      return { ranks: ranks as Int32Array, nonFiniteRow };
    },
    topK(args) {
      const { itemIds, scores, nonFiniteRow } = score({ ...args, targetIds: undefined });
      return { itemIds: itemIds as Int32Array, scores: scores as Float32Array, nonFiniteRow };
    },
    sampleItems({ hidden, table, bias, firstRow, temperature, uniforms }) {
      const itemIds = new Int32Array(uniforms.length);
      const nonFiniteRow = backend.addon.sampleItems(
        hidden.shape[0],
        table.shape[0],
        table.shape[1],
        firstRow,
        temperature,
        backend.floats(hidden),
        backend.floats(table),
        bias && backend.floats(bias),
        uniforms,
        itemIds,
      );
      return { itemIds, nonFiniteRow };
    },
    rankAndTopK(args) {
      const { ranks, itemIds, scores, nonFiniteRow } = score(args);
      return {
        ranks: ranks as Int32Array,
        itemIds: itemIds as Int32Array,
        scores: scores as Float32Array,
        nonFiniteRow,
      };
    },
  } satisfies FusedKernels;
}
