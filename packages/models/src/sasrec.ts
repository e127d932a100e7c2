import { positionsInSession, type SessionBatch } from '@nimue/batch';
import { deriveSeed, dropout, embed, jaggedAttention, linear, NO_DROPOUT, residualAdd, residualNorm } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import type { EncodeMode, NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';
import { rankAndRecommendByHidden, rankByHidden, recommendByHidden } from './rank-by-hidden.ts';

export const sasrecSchema = z
  .strictObject({
    hiddenSize: z.int().min(1).default(64),
    numBlocks: z.int().min(1).max(24).default(2),
    numHeads: z.int().min(1).default(1),
    /** The newest events of a session that the model sees. */
    maxLength: z.int().min(1).default(50),
    dropout: z.number().min(0).lt(1).default(0.2),
    /** Width of the point-wise feed-forward layer; the paper's is hiddenSize. */
    feedForwardSize: z.int().min(1).optional(),
    /** `pre`: x + g(norm(x)), the paper's; `post`: norm(x + g(x)). */
    norm: z.enum(['pre', 'post']).default('pre'),
    usePositions: z.boolean().default(true),
    /** Standard deviation of item and position vectors at the start. */
    initStd: z.number().positive().default(0.1),
  })
  .refine((config) => config.hiddenSize % config.numHeads === 0, {
    error: 'hiddenSize must be a multiple of numHeads',
    path: ['numHeads'],
  });

/** ε of every layer norm, the paper's code's value. */
const EPSILON = 1e-8;

/**
 * SASRec (Kang & McAuley 2018, "Self-Attentive Sequential Recommendation", eqs. 1–6): blocks of causal self-attention and
 * point-wise feed-forward layers over item and position vectors; the state after every event is compared with every
 * item's vector.
 *
 * Differs from the paper: positions are counted from the oldest visible event, not from the newest — counted from the
 * end, a later click would change earlier positions, and the distance to the end of the training session would leak;
 * projections have biases and the heads are mixed by an output projection, as in the widely used PyTorch port; the item
 * vectors are not scaled by √D on the way in (their starting deviation is configurable instead).
 */
export const sasrec = defineModel({
  kind: 'neural',
  configSchema: sasrecSchema,
  create: (config, size) => createSASRec(config, size),
});

function createSASRec(config: z.infer<typeof sasrecSchema>, { numRows, seed }: ModelSize): NeuralModel {
  const { hiddenSize, numBlocks, numHeads, maxLength, norm, usePositions, initStd } = config;
  const feedForwardSize = config.feedForwardSize ?? hiddenSize;
  const parameters = new ParameterStore(seed);
  parameters.add('items', [numRows, hiddenSize], { kind: 'normal', standardDeviation: initStd }, true);
  if (usePositions) {
    parameters.add('positions', [maxLength, hiddenSize], { kind: 'normal', standardDeviation: initStd });
  }
  const addLinear = (name: string, from: number, to: number) => {
    parameters.add(`${name}.weights`, [from, to], { kind: 'glorot' });
    parameters.add(`${name}.bias`, [to], { kind: 'zeros' });
  };
  const addNorm = (name: string) => {
    parameters.add(`${name}.gamma`, [hiddenSize], { kind: 'ones' });
    parameters.add(`${name}.beta`, [hiddenSize], { kind: 'zeros' });
  };
  for (let block = 1; block <= numBlocks; block++) {
    addNorm(`block${block}.attentionNorm`);
    for (const name of ['query', 'key', 'value', 'output']) addLinear(`block${block}.${name}`, hiddenSize, hiddenSize);
    addNorm(`block${block}.feedForwardNorm`);
    addLinear(`block${block}.expand`, hiddenSize, feedForwardSize);
    addLinear(`block${block}.contract`, feedForwardSize, hiddenSize);
  }
  if (norm === 'pre') addNorm('finalNorm');

  const applyLinear = (name: string, x: Tensor2D, activation: 'none' | 'relu' = 'none') =>
    linear(x, parameters.matrix(`${name}.weights`), parameters.vector(`${name}.bias`), activation);
  const applyNorm = (name: string, x: Tensor2D, rest: { residual?: Tensor2D; dropout?: typeof NO_DROPOUT } = {}) =>
    residualNorm(x, parameters.vector(`${name}.gamma`), {
      beta: parameters.vector(`${name}.beta`),
      epsilon: EPSILON,
      ...rest,
    });

  function encode(batch: SessionBatch, mode: EncodeMode): Tensor2D {
    let layer = 0;
    const drop = () => (mode.training ? { rate: config.dropout, seed: deriveSeed(mode.seed, layer++) } : NO_DROPOUT);
    const attend = (block: string, x: Tensor2D) =>
      applyLinear(
        `${block}.output`,
        jaggedAttention(
          applyLinear(`${block}.query`, x),
          applyLinear(`${block}.key`, x),
          applyLinear(`${block}.value`, x),
          batch.offsets,
          { numHeads, causal: true, dropout: drop() },
        ),
      );
    const feedForward = (block: string, x: Tensor2D) =>
      applyLinear(`${block}.contract`, dropout(applyLinear(`${block}.expand`, x, 'relu'), drop()));

    let hidden = embed(parameters.matrix('items'), batch.itemIds, {
      ...(usePositions && {
        positionTable: parameters.matrix('positions'),
        positions: positionsWithin(batch.offsets, maxLength),
      }),
      dropout: drop(),
    });
    for (let i = 1; i <= numBlocks; i++) {
      const block = `block${i}`;
      if (norm === 'pre') {
        hidden = residualAdd(attend(block, applyNorm(`${block}.attentionNorm`, hidden)), hidden, drop());
        hidden = residualAdd(feedForward(block, applyNorm(`${block}.feedForwardNorm`, hidden)), hidden, drop());
      } else {
        const attended = attend(block, hidden);
        hidden = applyNorm(`${block}.attentionNorm`, attended, { residual: hidden, dropout: drop() });
        const fed = feedForward(block, hidden);
        hidden = applyNorm(`${block}.feedForwardNorm`, fed, { residual: hidden, dropout: drop() });
      }
    }
    return norm === 'pre' ? applyNorm('finalNorm', hidden) : hidden;
  }

  const model: NeuralModel = {
    kind: 'neural',
    name: 'sasrec',
    maxLength,
    parameters,
    get numRows() {
      return parameters.matrix('items').shape[0];
    },
    encode,
    itemTable: () => parameters.matrix('items'),
    itemBias: () => undefined,
    rankTargets: (batch, options) => rankByHidden(model, batch, options),
    recommend: (batch, k, options) => recommendByHidden(model, batch, k, options),
    rankAndRecommend: (batch, k, options) => rankAndRecommendByHidden(model, batch, k, options),
    resizeItems: (numRows) => parameters.resizeItems(numRows),
    dispose: () => parameters.dispose(),
  };
  return model;
}

/** @throws when a session is longer than the model's position table. */
function positionsWithin(offsets: Int32Array, maxLength: number): Int32Array {
  const positions = positionsInSession(offsets);
  for (const position of positions) {
    if (position >= maxLength) {
      throw new Error(
        `sasrec: a session has more than maxLength = ${maxLength} events; truncate it (keeping the newest) or raise maxLength`,
      );
    }
  }
  return positions;
}
