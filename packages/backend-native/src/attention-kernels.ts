import type { FusedKernels, JaggedAttentionArgs } from '@nimue/ops';
import { dropoutNumbers } from './dropout-numbers.ts';
import type { NativeBackend } from './native-backend.ts';

/** Softmax attention within each session and its gradient. */
export function createAttentionKernels(backend: NativeBackend) {
  const { addon } = backend;
  const inputs = ({ query, key, value, offsets, numHeads, causal, scale, dropout }: JaggedAttentionArgs) => [
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
  ];
  return {
    jaggedAttention(args) {
      const y = backend.output(args.query.shape);
      const logSumExp = backend.output([args.query.shape[0], args.numHeads]);
      addon.attention(...inputs(args), y.values, logSumExp.values);
      return { y: backend.tensor(y), logSumExp: backend.tensor(logSumExp) };
    },
    jaggedAttentionGradient(args) {
      const { query, dy, logSumExp } = args;
      const dQuery = backend.output(query.shape);
      const dKey = backend.output(query.shape);
      const dValue = backend.output(query.shape);
      const saved = [backend.floats(logSumExp), backend.floats(dy)];
      addon.attentionGradient(...inputs(args), ...saved, dQuery.values, dKey.values, dValue.values);
      return { query: backend.tensor(dQuery), key: backend.tensor(dKey), value: backend.tensor(dValue) };
    },
  } satisfies FusedKernels;
}
