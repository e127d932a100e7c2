import { positionsFromNewest, positionsInSession, type SessionBatch } from '@nimue/batch';
import { type Dropout, deriveSeed, dropout as dropOut, embed, gatherRows, residualAdd } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { addInputs, type ModelInputs } from '../inputs/add-inputs.ts';
import type { InputColumn } from '../inputs/input-column.ts';
import type { InputsConfig } from '../inputs/inputs-schema.ts';
import { swapItems } from '../inputs/swap-noise.ts';
import type { EncodeMode } from '../next-item-model.ts';
import type { HEADS, INPUT_LAYERS } from './item-options.ts';
import { createLayers, type Layers } from './layers.ts';

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
  /** Normalises item vectors on the way in, before anything is joined with them. */
  readonly inputNorm?: boolean;
  /** A layer to the width of the body, before positions are added. */
  readonly inputLayer?: (typeof INPUT_LAYERS)[number];
  /** What is read beside the item ids, of these columns of the batch. */
  readonly inputs?: InputsConfig;
  readonly features?: readonly InputColumn[];
}

/** Tells the seed of swapping from those of dropouts, which count from 0, and of the features' swapping. */
const ITEM_SWAP_DRAW = 0x17e;
/** The same for the item table's dropout; an output table of its own has another one. */
const ITEM_TABLE_DRAW = 0x17d;
const OUTPUT_TABLE_DRAW = 0x17c;

/** ε of the norm on the way in, PyTorch's usual one. */
const INPUT_NORM_EPSILON = 1e-5;

/** Item vectors on the way in and on the way out. */
export interface ItemVectors {
  /** Width of what `embed` gives: itemSize, or hiddenSize behind an input layer. */
  readonly width: number;
  /**
   * Vectors of the batch's items, joined with their features and positions [T, width]; of the events that the memory lacks,
   * where there is one.
   */
  embed(batch: SessionBatch, dropout: Dropout, mode: EncodeMode): Tensor2D;
  /** From that width to the body's; x itself when they are the same. */
  project(x: Tensor2D): Tensor2D;
  /** What is compared with the item vectors [N, itemSize]. */
  head(hidden: Tensor2D): Tensor2D;
  /** The output layer's rows, with what the items' features say; the caller disposes it, or works in a tidy. */
  itemTable(mode?: EncodeMode): Tensor2D;
  itemBias(): Tensor1D | undefined;
  readonly inputs?: ModelInputs;
}

/**
 * Adds `items`, `positions`, `outputItems`, `inputNorm`, `inputLayer`, a projection `itemProjection` where the widths differ without
 * one, `head` and `itemBias`.
 */
export function addItemVectors(layers: Layers, config: ItemVectorsConfig): ItemVectors {
  const { numRows, hiddenSize, itemSize = hiddenSize, embedding, head, itemBias } = config;
  const { initStd, itemSwapNoise, itemDropout, maxPositions, takesItemSize = false, inputNorm, inputLayer } = config;
  const scale = config.scaleItems ? Math.sqrt(hiddenSize) : undefined;
  const placesOf = config.positionsFrom === 'newest' ? positionsFromNewest : positionsInSession;
  const { parameters } = layers;
  const width = inputLayer ? hiddenSize : itemSize;
  const isProjected = width !== hiddenSize && !takesItemSize;
  parameters.add('items', [numRows, itemSize], { kind: 'normal', standardDeviation: initStd }, true);
  if (maxPositions) {
    parameters.add('positions', [maxPositions, width], { kind: 'normal', standardDeviation: initStd });
  }
  if (embedding === 'separate') {
    parameters.add('outputItems', [numRows, itemSize], { kind: 'normal', standardDeviation: initStd }, true);
  }
  const own = createLayers(parameters, { epsilon: INPUT_NORM_EPSILON });
  if (inputNorm) own.addNorm('inputNorm', itemSize);
  if (inputLayer) layers.addLinear('inputLayer', itemSize, hiddenSize);
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
  const read = (batch: SessionBatch, itemIds: Int32Array, from: number, mode: EncodeMode) => {
    // A feature may say something of the session's other events, such as the time since the last: all are read.
    const vectors = embed(tableOf('items', mode), inputs ? itemIds : itemIds.subarray(from), { scale });
    const normed = inputNorm ? own.norm('inputNorm', vectors) : vectors;
    const all = inputs ? inputs.combine(normed, batch, mode) : normed;
    const x = inputs && from > 0 ? (tf.slice(all, [from, 0]) as Tensor2D) : all;
    return inputLayer ? layers.linear('inputLayer', x, activation[inputLayer]) : x;
  };
  return {
    width,
    embed(batch, dropout, mode) {
      const { offsets } = batch;
      const swaps = mode.training && !mode.keepsItems;
      const itemIds = swaps ? swapItems(batch, itemSwapNoise, deriveSeed(mode.seed, ITEM_SWAP_DRAW)) : batch.itemIds;
      const from = mode.memory?.numSeen ?? 0;
      const positions = maxPositions ? placesOf(offsets).subarray(from) : undefined;
      if (!inputs && !inputNorm && !inputLayer) {
        return embed(tableOf('items', mode), itemIds.subarray(from), {
          ...(positions && { positionTable: parameters.matrix('positions'), positions }),
          scale,
          dropout,
        });
      }
      const x = read(batch, itemIds, from, mode);
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
