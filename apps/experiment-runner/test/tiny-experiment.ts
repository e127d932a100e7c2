import type { ShopInput } from '@nimue/data';

/** A shop that is learned in a second. */
export const TINY_SHOP = {
  days: 4,
  sessionsPerDay: 60,
  numItems: 24,
  numCategories: 2,
  linesPerCategory: 2,
  newItemsPerDay: 2,
  meanLength: 4,
  seed: 3,
} as const satisfies ShopInput;

/** Popularity and both neural models over three evaluated days, in plain JavaScript. */
export const TINY_EXPERIMENT = `name: tiny
dataset: ${JSON.stringify({ generated: 'shop', ...TINY_SHOP })}
windows: { span: day, policy: incremental }
models:
  - name: popularity
  - { name: gru4rec, hiddenSize: 8 }
  - { name: sasrec, hiddenSize: 8, numBlocks: 1, maxLength: 10 }
training: { epochs: 2, batchSize: 16, learningRate: 0.02 }
evaluation: { metrics: [ndcg@5, hr@5], split: test }
seeds: [1]
backend: cpu
`;
