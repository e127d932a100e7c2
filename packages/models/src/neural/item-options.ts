import { z } from 'zod';
import { inputsSchema } from '../inputs/inputs-schema.ts';

/** How hidden states become scores of items. */
export const HEADS = ['dot', 'linear', 'mlp', 'gelu'] as const;

/** Options of every neural model: the item vectors, on the way in and on the way out. */
export const itemOptions = {
  /** Width of the item vectors; hiddenSize when not given. Another width needs a `head` other than `dot`. */
  itemSize: z.int().min(1).optional(),
  /** `tied`: one table for input and output; `separate`: one each. */
  embedding: z.enum(['tied', 'separate']).default('tied'),
  /**
   * What is compared with the item vectors E: `dot`: the hidden state h itself; `linear`: h W + b; `mlp`: tanh(h W + b), the
   * output layer of the Transformers4Rec paper; `gelu`: GELU(h W + b), that of BERT4Rec.
   */
  head: z.enum(HEADS).default('dot'),
  /** Adds a learned number per item to its score. */
  itemBias: z.boolean().default(false),
  /** Standard deviation of item and position vectors at the start. */
  initStd: z.number().positive().default(0.1),
  /** Share of the visible items that training swaps with items of other sessions (stochastic swap noise). */
  itemSwapNoise: z.number().min(0).lt(1).default(0),
  /** What is read beside the item ids. */
  inputs: inputsSchema.optional(),
};

/** Options of every model made of blocks with attention. */
export const blockOptions = {
  hiddenSize: z.int().min(1).default(64),
  numBlocks: z.int().min(1).max(24).default(2),
  numHeads: z.int().min(1).default(1),
  /** The newest events of a session that the model sees. */
  maxLength: z.int().min(1).default(50),
  dropout: z.number().min(0).lt(1).default(0.2),
};

interface Widths {
  readonly hiddenSize: number;
  readonly numHeads?: number;
  readonly itemSize?: number;
  readonly head?: (typeof HEADS)[number];
}

/** Adds the checks between widths, in the words of the options. */
export function checkWidths<Schema extends z.ZodObject>(schema: Schema): Schema {
  return schema.superRefine((value, context) => {
    const { hiddenSize, numHeads = 1, itemSize = hiddenSize, head } = value as unknown as Widths;
    if (hiddenSize % numHeads !== 0) {
      context.addIssue({ code: 'custom', path: ['numHeads'], message: 'hiddenSize must be a multiple of numHeads' });
    }
    if (itemSize !== hiddenSize && head === 'dot') {
      const message = `itemSize is ${itemSize} and hiddenSize ${hiddenSize}, which head: dot cannot compare; choose head: linear or mlp, or leave itemSize out`;
      context.addIssue({ code: 'custom', path: ['itemSize'], message });
    }
  });
}
