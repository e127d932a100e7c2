import { z } from 'zod';
import { inputsSchema } from '../inputs/inputs-schema.ts';

/** How hidden states become scores of items. */
export const HEADS = ['dot', 'linear', 'mlp', 'gelu'] as const;

/** Layers between item vectors and a model's body. */
export const INPUT_LAYERS = ['linear', 'mlp'] as const;

/** Options of every neural model: the item vectors, on the way in and on the way out. */
export const itemOptions = {
  itemSize: z
    .int()
    .min(1)
    .optional()
    .describe('Width of the item vectors; hiddenSize when not given. Another width needs a `head` other than `dot`.'),
  embedding: z
    .enum(['tied', 'separate'])
    .default('tied')
    .describe('`tied`: one table for input and output; `separate`: one each.'),
  head: z
    .enum(HEADS)
    .default('dot')
    .describe(
      'What is compared with the item vectors E: `dot`: the hidden state h itself; `linear`: h W + b; `mlp`: tanh(h W + b), the output layer of the Transformers4Rec paper; `gelu`: GELU(h W + b), that of BERT4Rec.',
    ),
  itemBias: z.boolean().default(false).describe('Adds a learned number per item to its score.'),
  initStd: z.number().positive().default(0.1).describe('Standard deviation of item and position vectors at the start.'),
  itemSwapNoise: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of the visible items that training swaps with items of other sessions (stochastic swap noise).'),
  itemDropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of the numbers of the whole item table that a training step drops, the same numbers wherever an item is read or compared with (RecTools up to 0.15: as `dropout`).',
    ),
  inputNorm: z
    .boolean()
    .default(false)
    .describe('Normalises item vectors on the way in (layer norm), as the models of the Transformers4Rec paper do.'),
  inputLayer: z
    .enum(INPUT_LAYERS)
    .optional()
    .describe(
      "A layer between item vectors x, joined with what is read beside them, and the body, to the body's width: `linear`: x W + b; `mlp`: tanh(x W + b), the input layer of the Transformers4Rec paper.",
    ),
  inputs: inputsSchema.optional().describe('What is read beside the item ids.'),
};

/** Options of models whose matrices may start from another deviation. */
export const layerOptions = {
  layerStd: z
    .number()
    .positive()
    .optional()
    .describe(
      "Standard deviation of the layers' matrices at the start, such as BERT's .02; when not given √(2 / (width in + width out)), as RecTools has it.",
    ),
};

/** Options of every model made of blocks with attention. */
export const blockOptions = {
  hiddenSize: z.int().min(1).default(64).describe('Width of the hidden states.'),
  numBlocks: z
    .int()
    .min(1)
    .max(24)
    .default(2)
    .describe('Blocks of attention and feed-forward layer, one over the other.'),
  numHeads: z.int().min(1).default(1).describe('Heads of the attention; hiddenSize is a multiple of it.'),
  maxLength: z.int().min(1).default(50).describe('The newest events of a session that the model sees.'),
  dropout: z.number().min(0).lt(1).default(0.2).describe('Share of the numbers that a training step drops.'),
  ...layerOptions,
};

/** Options of models that add a learned vector per position. */
export const positionOptions = {
  usePositions: z.boolean().default(true).describe('Adds a learned vector per position.'),
  positionsFrom: z
    .enum(['oldest', 'newest'])
    .default('oldest')
    .describe(
      'Where positions are counted from: `oldest`, so that a later click changes nothing that was said before; `newest`, as the originals and RecTools have it, whose sessions end in the same place: better where histories are short, and a session is computed anew at every click.',
    ),
};

/** Options of models whose originals scale the item vectors. */
export const scalingOptions = {
  scaleItems: z
    .boolean()
    .default(false)
    .describe(
      'Multiplies item vectors by √hiddenSize on the way in, as the originals of SASRec and HSTU do: small vectors from the start then weigh on the way in what large ones do.',
    ),
};

interface Widths {
  readonly hiddenSize: number;
  readonly numHeads?: number;
  readonly itemSize?: number;
  readonly head?: (typeof HEADS)[number];
  readonly usePositions?: boolean;
  readonly positionsFrom?: 'oldest' | 'newest';
}

/** Adds the checks between widths, and of positions, in the words of the options. */
export function checkWidths<Schema extends z.ZodObject>(schema: Schema): Schema {
  return schema.superRefine((value, context) => {
    const { hiddenSize, numHeads = 1, itemSize = hiddenSize, head } = value as unknown as Widths;
    const { usePositions = true, positionsFrom = 'oldest' } = value as unknown as Widths;
    if (!usePositions && positionsFrom === 'newest') {
      const message = 'there are no positions to count with usePositions: false; remove one of the two';
      context.addIssue({ code: 'custom', path: ['positionsFrom'], message });
    }
    if (hiddenSize % numHeads !== 0) {
      context.addIssue({ code: 'custom', path: ['numHeads'], message: 'hiddenSize must be a multiple of numHeads' });
    }
    if (itemSize !== hiddenSize && head === 'dot') {
      const message = `itemSize is ${itemSize} and hiddenSize ${hiddenSize}, which head: dot cannot compare; choose head: linear or mlp, or leave itemSize out`;
      context.addIssue({ code: 'custom', path: ['itemSize'], message });
    }
  });
}
