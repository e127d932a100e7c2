import type { FusedKernels, JaggedAttentionArgs } from '@nimue/ops';
import { dropoutNumbers } from './dropout-numbers.ts';
import type { NativeBackend } from './native-backend.ts';

/** Attention within each session and its gradient. */
export function createAttentionKernels(backend: NativeBackend) {
  const { addon } = backend;
  const inputs = (args: JaggedAttentionArgs) => {
    const {
      query,
      key,
      value,
      offsets,
      numHeads,
      causal,
      scale,
      dropout,
      mask,
      relativeBias,
      relative,
      pairBias,
      kind,
    } = args;
    return [
      offsets.length - 1,
      query.shape[0],
      query.shape[1],
      numHeads,
      causal ? 1 : 0,
      scale,
      ...dropoutNumbers(dropout),
      backend.floats(query),
      backend.floats(key),
      backend.floats(value),
      offsets,
      kind === 'silu' ? 1 : 0,
      mask,
      relativeBias?.shape[0] ?? 0,
      relativeBias && backend.floats(relativeBias),
      relative?.keys.shape[0] ?? 0,
      relative && backend.floats(relative.query),
      relative && backend.floats(relative.keys),
      pairBias?.table.shape[0] ?? 0,
      pairBias && backend.floats(pairBias.table),
      pairBias?.kinds,
    ];
  };
  return {
    jaggedAttention(args) {
      const y = backend.output(args.query.shape);
      const logSumExp = backend.output([args.query.shape[0], args.numHeads]);
      addon.attention(...inputs(args), y.values, logSumExp.values);
      return { y: backend.tensor(y), logSumExp: backend.tensor(logSumExp) };
    },
    jaggedAttentionGradient(args) {
      const { query, relativeBias, relative, pairBias, dy, logSumExp } = args;
      const dQuery = backend.output(query.shape);
      const dKey = backend.output(query.shape);
      const dValue = backend.output(query.shape);
      const saved = [backend.floats(logSumExp), backend.floats(dy)];
      const dBias = relativeBias && backend.output(relativeBias.shape);
      const dRelative = relative && {
        query: backend.output(query.shape),
        keys: backend.output(relative.keys.shape),
      };
      const dPairTable = pairBias && backend.output(pairBias.table.shape);
      const gradients = [
        dQuery.values,
        dKey.values,
        dValue.values,
        dBias?.values,
        dRelative?.query.values,
        dRelative?.keys.values,
        dPairTable?.values,
      ];
      addon.attentionGradient(...inputs(args), ...saved, ...gradients);
      return {
        query: backend.tensor(dQuery),
        key: backend.tensor(dKey),
        value: backend.tensor(dValue),
        relativeBias: dBias && backend.tensor(dBias),
        pairTable: dPairTable && backend.tensor(dPairTable),
        relative: dRelative && { query: backend.tensor(dRelative.query), keys: backend.tensor(dRelative.keys) },
      };
    },
  } satisfies FusedKernels;
}
