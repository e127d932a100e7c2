import { FIRST_ITEM_ID } from '@nimue/batch';
import {
  type ItemVectors,
  type ItemVocabulary,
  readItemVectors,
  type Sessions,
  type WindowedDataset,
} from '@nimue/data';
import { categoryDistance, cosineDistance, type ItemDistance } from '@nimue/metrics';
import { z } from 'zod';
import { textCodes } from './seen-values.ts';

/** `evaluation.diversity`: by what items differ. */
export const diversitySchema = z.union(
  [
    z.strictObject({
      column: z
        .string()
        .min(1)
        .describe(
          "Text column of the log: items of different categories differ by 1. An item's category is that of its newest train event.",
        ),
    }),
    z.strictObject({
      file: z
        .string()
        .min(1)
        .describe(
          'Parquet or CSV with a column of item ids, and a column of lists or one column per dimension: items differ by 1 − cosine.',
        ),
      item: z.string().min(1).default('item_id').describe('Column of item ids in that file.'),
      missing: z
        .enum(['mean', 'error'])
        .default('mean')
        .describe('What stands for an item without a vector: the mean of all vectors, or an error.'),
    }),
  ],
  { error: 'expected { column: <text column of the log> } or { file: <vectors>, item: <column of item ids> }' },
);

export type DiversityConfig = z.output<typeof diversitySchema>;

/** How different the items of a catalogue are: what train windows say of their categories, or the vectors of a file. */
export class ItemDistances {
  readonly #config: DiversityConfig;
  readonly #categories: number[] = [];
  #vectors?: ItemVectors;

  constructor(config: DiversityConfig) {
    this.#config = config;
  }

  /** Takes in the sessions of a train window, whose items the vocabulary knows. */
  add(sessions: Sessions, vocabulary: ItemVocabulary): void {
    if (!('column' in this.#config)) return;
    const codes = textCodes(sessions, this.#config.column);
    vocabulary.encode(sessions.itemCodes).forEach((id, event) => {
      if (id >= FIRST_ITEM_ID && !Number.isNaN(codes[event])) this.#categories[id] = codes[event];
    });
  }

  /** @throws when the file cannot be read, or an item has no vector and must have one */
  async distance(vocabulary: ItemVocabulary, dataset: Pick<WindowedDataset, 'rawItemId'>): Promise<ItemDistance> {
    const config = this.#config;
    // An item without a category is like no other.
    if ('column' in config) {
      return categoryDistance(Array.from({ length: vocabulary.size }, (_, id) => this.#categories[id] ?? -1 - id));
    }
    this.#vectors ??= await readItemVectors(config.file, config.item);
    const { size } = this.#vectors;
    const table = this.#vectors.tableFor(vocabulary, (code) => dataset.rawItemId(code), config.missing);
    return cosineDistance(table, size);
  }
}
