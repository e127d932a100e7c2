import { positionsFromNewest, positionsInSession, type SessionBatch } from '@nimue/batch';
import { type Dropout, deriveSeed, dropout as dropOut, embed, gatherRows, residualAdd } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { addInputs, type ModelInputs } from '../inputs/add-inputs.ts';
import type { InputColumn } from '../inputs/input-column.ts';
import type { InputsConfig } from '../inputs/inputs-schema.ts';
import { swapItems } from '../inputs/swap-noise.ts';
import type { EncodeMode } from '../next-item-model.ts';
import type { HEADS } from './item-options.ts';
import type { Layers } from './layers.ts';

export interface ItemVectorsConfig {
  readonly numRows: number;
  readonly hiddenSize: number;
  readonly itemSize?: number;
  /** `separate`: the output layer has item vectors of its own, `outputItems`. */
  readonly embedding: 'tied' | 'separate';
  readonly head: (typeof HEADS)[number];
  readonly itemBias: boolean;
  readonly initStd: number;
  readonly itemSwapNoise: number;
  readonly itemDropout: number;
  /** Learned position vectors, as many. */
  readonly maxPositions?: number;
  /** Where they are counted from; default `oldest`. */
  readonly positionsFrom?: 'oldest' | 'newest';
  /** Multiplies item vectors by √hiddenSize on the way in. */
  readonly scaleItems?: boolean;
  /** The body takes item vectors as they are, whatever their width. */
  readonly takesItemSize?: boolean;
  /** What is read beside the item ids, of these columns of the batch. */
  readonly inputs?: InputsConfig;
  readonly features?: readonly InputColumn[];
}

/** Tells the seed of swapping from those of dropouts, which count from 0, and of the features' swapping. */
const ITEM_SWAP_DRAW = 0x17e;
/** The same for the item table's dropout; an output table of its own has another one. */
const ITEM_TABLE_DRAW = 0x17d;
const OUTPUT_TABLE_DRAW = 0x17c;

/** Item vectors on the way in and on the way out. */
export interface ItemVectors {
  /**
   * Vectors of the batch's items, joined with their features and positions [T, itemSize]; of the events that the memory lacks,
   * where there is one.
   */
  embed(batch: SessionBatch, dropout: Dropout, mode: EncodeMode): Tensor2D;
  /** From the width of the item vectors to that of the body; x itself when they are the same. */
  project(x: Tensor2D): Tensor2D;
  /** What is compared with the item vectors [N, itemSize]. */
  head(hidden: Tensor2D): Tensor2D;
  /** The output layer's rows, with what the items' features say; the caller disposes it, or works in a tidy. */
  itemTable(mode?: EncodeMode): Tensor2D;
  itemBias(): Tensor1D | undefined;
  readonly inputs?: ModelInputs;
}

/** Adds `items`, `positions`, `outputItems`, a projection `itemProjection` where the widths differ, `head` and `itemBias`. */
export function addItemVectors(layers: Layers, config: ItemVectorsConfig): ItemVectors {
  const { numRows, hiddenSize, itemSize = hiddenSize, embedding, head, itemBias } = config;
  const { initStd, itemSwapNoise, itemDropout, maxPositions, takesItemSize = false } = config;
  const scale = config.scaleItems ? Math.sqrt(hiddenSize) : undefined;
  const placesOf = config.positionsFrom === 'newest' ? positionsFromNewest : positionsInSession;
  const { parameters } = layers;
  const isProjected = itemSize !== hiddenSize && !takesItemSize;
  parameters.add('items', [numRows, itemSize], { kind: 'normal', standardDeviation: initStd }, true);
  if (maxPositions) {
    parameters.add('positions', [maxPositions, itemSize], { kind: 'normal', standardDeviation: initStd });
  }
  if (embedding === 'separate') {
    parameters.add('outputItems', [numRows, itemSize], { kind: 'normal', standardDeviation: initStd }, true);
  }
  if (isProjected) layers.addLinear('itemProjection', itemSize, hiddenSize);
  if (head !== 'dot') layers.addLinear('head', hiddenSize, itemSize);
  if (itemBias) parameters.add('itemBias', [numRows], { kind: 'zeros' }, true);
  const inputs =
    config.inputs &&
    addInputs(layers, config.inputs, { itemSize, hiddenSize, initStd, columns: config.features ?? [] });
  const tableOf = (name: 'items' | 'outputItems', mode: EncodeMode | undefined) => {
    const table = parameters.matrix(name);
    if (!mode?.training || itemDropout === 0) return table;
    const draw = name === 'items' ? ITEM_TABLE_DRAW : OUTPUT_TABLE_DRAW;
    return dropOut(table, { rate: itemDropout, seed: deriveSeed(mode.seed, draw) });
  };
  const outputItems = (mode?: EncodeMode) => tableOf(embedding === 'tied' ? 'items' : 'outputItems', mode);
  const activation = { dot: 'none', linear: 'none', mlp: 'tanh', gelu: 'gelu' } as const;
  return {
    embed(batch, dropout, mode) {
      const { offsets } = batch;
      const swaps = mode.training && !mode.keepsItems;
      const itemIds = swaps ? swapItems(batch, itemSwapNoise, deriveSeed(mode.seed, ITEM_SWAP_DRAW)) : batch.itemIds;
      const from = mode.memory?.numSeen ?? 0;
      const positions = maxPositions ? placesOf(offsets).subarray(from) : undefined;
      if (!inputs) {
        return embed(tableOf('items', mode), itemIds.subarray(from), {
          ...(positions && { positionTable: parameters.matrix('positions'), positions }),
          scale,
          dropout,
        });
      }
      // A feature may say something of the session's other events, such as the time since the last: all are read.
      const all = inputs.combine(embed(tableOf('items', mode), itemIds, { scale }), batch, mode);
      const x = from > 0 ? (tf.slice(all, [from, 0]) as Tensor2D) : all;
      const placed = positions ? residualAdd(gatherRows(parameters.matrix('positions'), positions), x) : x;
      return dropOut(placed, dropout);
    },
    project: (x) => (isProjected ? layers.linear('itemProjection', x) : x),
    head: (hidden) => (head === 'dot' ? hidden : layers.linear('head', hidden, activation[head])),
    itemTable: (mode) => (inputs ? inputs.describeCandidates(outputItems(mode)) : outputItems(mode)),
    itemBias: () => (itemBias ? parameters.vector('itemBias') : undefined),
    ...(inputs && { inputs }),
  };
}
