import { FIRST_ITEM_ID, packSessions } from '@nimue/batch';
import * as models from '../src/models.ts';
import type { AnyModel } from '../src/next-item-model.ts';
import { COLUMNS } from './ask.ts';

export type ModelName = keyof typeof models;

/** Small variants of every model; a model that is not listed here fails the first test of the conformance suite. */
export const VARIANTS: Record<ModelName, Record<string, unknown>[]> = {
  popularity: [{}, { over: 'all' }, { over: 'decayed', halfLifeWindows: 2 }],
  sessionPopularity: [{}],
  markov: [{}, { maxSuccessors: 1 }],
  sequentialRules: [{}, { steps: 1, weighting: 'quadratic', maxRules: 2 }],
  associationRules: [{}],
  itemKnn: [{}, { over: 'session', regularization: 0, k: 2 }],
  sknn: [{}, { similarity: 'jaccard', k: 1, remind: false }],
  vsknn: [{}, { weighting: 'linear', scoreWeighting: 'log', idfWeight: 1, lastClicks: 2, pushReminders: true }],
  stan: [{ recencyDecayDays: null }],
  vstan: [{ recencyDecayDays: null }, { recencyDecayDays: null, k: 1, remind: false, idfWeight: null }],
  ease: [{}, { regularization: 0.5 }],
  gru4rec: [
    { hiddenSize: 6, inputDropout: 0, hiddenDropout: 0 },
    { hiddenSize: 5, numLayers: 2, embedding: 'separate', inputDropout: 0.1, hiddenDropout: 0.1, itemSwapNoise: 0.4 },
    { hiddenSize: 4, itemSize: 6, head: 'mlp', itemBias: false },
    { hiddenSize: 4, itemSize: 6, head: 'mlp', inputNorm: true, inputLayer: 'mlp' },
  ],
  sasrec: [
    { hiddenSize: 6, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0 },
    { hiddenSize: 5, numBlocks: 2, norm: 'post', maxLength: 8, dropout: 0.1 },
    { hiddenSize: 6, numBlocks: 1, norm: 'postFinal', maxLength: 8, dropout: 0 },
    { hiddenSize: 4, numBlocks: 1, usePositions: false, maxLength: 8, feedForwardSize: 7, dropout: 0 },
    {
      hiddenSize: 4,
      numBlocks: 1,
      maxLength: 8,
      norm: 'query',
      scaleItems: true,
      itemSize: 5,
      head: 'mlp',
      itemBias: true,
      itemDropout: 0.3,
    },
    { hiddenSize: 4, numBlocks: 2, maxLength: 8, dropout: 0, positionsFrom: 'newest' },
  ],
  gsasrec: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8 },
    {
      hiddenSize: 3,
      numBlocks: 2,
      maxLength: 8,
      dropout: 0,
      embedding: 'tied',
      usePositions: false,
      feedForwardSize: 5,
    },
    { hiddenSize: 4, numBlocks: 1, maxLength: 8, positionsFrom: 'newest' },
  ],
  bert: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0 },
    { hiddenSize: 3, numBlocks: 2, maxLength: 8, dropout: 0.1, shareBlocks: true, feedForwardSize: 5 },
  ],
  albert: [{ hiddenSize: 4, numBlocks: 2, maxLength: 8, itemSize: 3, head: 'linear', embedding: 'separate' }],
  bert4rec: [{ hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8 }],
  gpt2: [{ hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8 }],
  esasrec: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8 },
    { hiddenSize: 3, numBlocks: 2, maxLength: 8, dropout: 0, usePositions: false, feedForwardSize: 4 },
    { hiddenSize: 4, numBlocks: 1, maxLength: 8, dropout: 0, positionsFrom: 'newest' },
  ],
  narm: [
    { hiddenSize: 4 },
    { hiddenSize: 3, numLayers: 2, itemSize: 4, head: 'mlp', inputDropout: 0, dropout: 0, maxLength: 8 },
  ],
  stamp: [
    { hiddenSize: 4, inputDropout: 0.1 },
    { hiddenSize: 3, itemSize: 4, head: 'linear', maxLength: 8 },
  ],
  srgnn: [{ hiddenSize: 4 }, { hiddenSize: 3, numSteps: 2, inputDropout: 0.1, maxLength: 8 }],
  electra: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0.1, discriminatorWeight: 2 },
    {
      hiddenSize: 3,
      numBlocks: 1,
      maxLength: 8,
      dropout: 0,
      bodies: 'separate',
      itemSwapNoise: 0.4,
      itemDropout: 0.2,
      itemSize: 4,
      head: 'gelu',
      itemBias: true,
    },
  ],
  lrurec: [
    { hiddenSize: 4, numBlocks: 1 },
    { hiddenSize: 3, numBlocks: 2, stateSize: 2, dropout: 0, maxLength: 8 },
  ],
  xlnet: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0.1 },
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0, attention: 'causal' },
    { hiddenSize: 3, numBlocks: 2, maxLength: 8, dropout: 0, attention: 'twoStream', itemSize: 4, head: 'mlp' },
    {
      hiddenSize: 3,
      numBlocks: 1,
      maxLength: 8,
      dropout: 0,
      discriminatorWeight: 2,
      inputDropout: 0.1,
      samplingTemperature: 0.01,
    },
  ],
  transformerXl: [{ hiddenSize: 4, numHeads: 2, numBlocks: 2, maxLength: 8, dropout: 0.1 }],
  hstu: [
    { hiddenSize: 4, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0.1, numTimeBuckets: 9 },
    { hiddenSize: 3, numBlocks: 2, maxLength: 8, relativeTime: false, usePositions: false },
    {
      hiddenSize: 6,
      numHeads: 2,
      numBlocks: 1,
      maxLength: 8,
      relativePosition: false,
      dropout: 0,
      numTimeBuckets: 5,
      scaleItems: true,
    },
  ],
};

export const NUM_ITEMS = 6;
export const NUM_ROWS = NUM_ITEMS + FIRST_ITEM_ID;
export const SESSIONS = [
  [3, 5, 7, 3],
  [4, 6],
  [8, 8, 3],
];

/** A model of the variant; one that counts has seen `SESSIONS`. */
export function create(name: ModelName, config: Record<string, unknown>, numRows = NUM_ROWS, seed = 1): AnyModel {
  const spec = models[name];
  const model = spec.create(spec.configSchema.parse(config) as never, { numRows, seed, features: COLUMNS });
  if (model.kind === 'statistical') {
    const { itemIds, offsets } = packSessions(SESSIONS.map((session) => session.filter((id) => id < numRows)));
    model.fitWindow({ itemIds, offsets });
  }
  return model;
}

/** Every kind of input in every place, joined in one of the ways. */
function inputsOf(aggregation: string): Record<string, unknown> {
  const size = aggregation === 'concat' ? { size: 3 } : {};
  return {
    aggregation,
    swapNoise: 0.3,
    layerNorm: aggregation === 'sum',
    features: [
      { kind: 'category', column: 'brand', ...size, table: 'words' },
      { kind: 'category', column: 'device', ...size, role: 'contextBefore', table: 'words' },
      { kind: aggregation === 'concat' ? 'scalar' : 'projection', column: 'price' },
      { kind: 'softOneHot', column: 'price', numVectors: 3 },
      { kind: 'softOneHot', column: 'age', numVectors: 2, size: 2, role: 'contextAfter' },
      { kind: 'vector', column: 'text', ...size },
      { kind: 'timeInterval', numBuckets: 5 },
    ],
  };
}

const AGGREGATIONS = ['concat', 'sum', 'sumTimesItem', 'stack'];
const neuralNames = (Object.keys(VARIANTS) as ModelName[]).filter((name) => models[name].kind === 'neural');

/** The first variant of every neural model, and those that attend in another way, reading features. */
const WITH_INPUTS = neuralNames.flatMap((name, i) =>
  VARIANTS[name]
    .filter((config, v) => v === 0 || 'attention' in config)
    .map((config, v) => ({ name, config: { ...config, inputs: inputsOf(AGGREGATIONS[(i + v) % 4]) } })),
);

export const CASES: readonly (readonly [ModelName, string, Record<string, unknown>])[] = [
  ...Object.entries(VARIANTS).flatMap(([name, variants]) =>
    variants.map((config) => [name as ModelName, JSON.stringify(config), config] as const),
  ),
  ...WITH_INPUTS.map(({ name, config }) => {
    const { inputs, ...rest } = config;
    return [name, `${JSON.stringify(rest)} with features, ${inputs.aggregation}`, config] as const;
  }),
];
