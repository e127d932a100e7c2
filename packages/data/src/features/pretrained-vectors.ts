import { z } from 'zod';
import { readItemVectors } from '#read-item-vectors';
import { defineFeature, type FeatureColumn, outputName, parseState } from './feature.ts';
import { floatsFromBase64, floatsToBase64 } from './floats-base64.ts';
import { ItemVectors } from './item-vectors.ts';

const stateSchema = z.object({ itemIds: z.array(z.string()), float32Base64: z.string() });

/** Pretrained vector of the event's item, one column per dimension: `<as>_0`, `<as>_1`, … */
export const pretrainedVectors = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('pretrainedVectors'),
    file: z
      .string()
      .min(1)
      .describe('Parquet or CSV with a column of item ids, and a column of lists or one column per dimension.'),
    item: z.string().min(1).default('item_id').describe('Column of item ids in that file.'),
    as: outputName.default('vector'),
    missing: z.enum(['zeros', 'mean', 'error']).default('zeros').describe('What an item without a vector gets.'),
  }),
  columns: () => [],
  // The width is not known yet; every vector has a first dimension.
  outputsBefore: ({ as }) => [{ name: `${as}_0`, kind: 'number' }],
  create({ file, item, as, missing }) {
    let vectors: ItemVectors | undefined;
    const loaded = (): ItemVectors => {
      if (vectors) return vectors;
      throw new Error(`pretrainedVectors: ${file} has not been read; make the pipeline with createFeaturePipeline`);
    };
    return {
      async load() {
        vectors = await readItemVectors(file, item);
      },
      outputs: () => Array.from({ length: loaded().size }, (_, d) => ({ name: `${as}_${d}`, kind: 'number' as const })),
      transform({ itemCodes }, source) {
        const own = loaded();
        const mean = own.mean();
        const columns = Array.from({ length: own.size }, () => new Float32Array(itemCodes.length));
        for (const [i, code] of itemCodes.entries()) {
          const vector = own.getOr(source.rawItemId(code), missing, mean);
          for (let d = 0; d < columns.length; d++) columns[d][i] = vector[d];
        }
        return Object.fromEntries(columns.map((column, d): [string, FeatureColumn] => [`${as}_${d}`, column]));
      },
      toJSON() {
        const own = loaded();
        const { itemIds } = own;
        const values = new Float32Array(own.size * itemIds.length);
        for (const [row, id] of itemIds.entries()) values.set(own.get(id) ?? [], row * own.size);
        return { itemIds, float32Base64: floatsToBase64(values) };
      },
      restore(state) {
        const { itemIds, float32Base64 } = parseState(stateSchema, state, 'pretrainedVectors');
        vectors = new ItemVectors(itemIds, floatsFromBase64(float32Base64), 'pretrainedVectors: the saved state');
      },
    };
  },
});
