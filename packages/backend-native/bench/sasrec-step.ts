import {
  adam,
  type Dropout,
  deriveSeed,
  embed,
  jaggedAttention,
  linear,
  residualAdd,
  residualNorm,
  softmaxHead,
} from '@nimue/ops';
import type { NamedTensorMap, Scalar, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

export interface SasrecShape {
  readonly name: string;
  readonly numSessions: number;
  readonly maxLength: number;
  readonly meanLength: number;
  readonly numItems: number;
  readonly width: number;
  readonly numBlocks: number;
  readonly dropoutRate: number;
}

/** The two steps of the targets: many long sessions with a small catalogue, many short ones with a larger one. */
export const ML1M_LIKE: SasrecShape = {
  name: 'SASRec step, ML-1M-like',
  numSessions: 128,
  maxLength: 200,
  meanLength: 165,
  numItems: 3416,
  width: 64,
  numBlocks: 2,
  dropoutRate: 0.2,
};
export const SESSION_LIKE: SasrecShape = {
  name: 'SASRec step, session-like',
  numSessions: 256,
  maxLength: 20,
  meanLength: 6,
  numItems: 15316,
  width: 128,
  numBlocks: 2,
  dropoutRate: 0.2,
};

export interface Batch {
  readonly itemIds: Int32Array;
  readonly positions: Int32Array;
  readonly targetIds: Int32Array;
  readonly offsets: Int32Array;
}

/** Session lengths between 1 and the maximum whose mean is the wanted one; the same for every peer. */
export function sessionLengths({
  numSessions,
  maxLength,
  meanLength,
}: Pick<SasrecShape, 'numSessions' | 'maxLength' | 'meanLength'>): number[] {
  // x ↦ max · x^p is uniform in rank; its mean is max / (p + 1).
  const power = maxLength / meanLength - 1;
  return Array.from({ length: numSessions }, (_, b) =>
    Math.max(1, Math.round(maxLength * ((b + 0.5) / numSessions) ** power)),
  );
}

export function createBatch(shape: SasrecShape, seed: number): Batch {
  const lengths = sessionLengths(shape);
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => {
    offsets[b + 1] = offsets[b] + length;
  });
  const total = offsets[lengths.length];
  const id = (i: number) => 3 + (deriveSeed(seed, i) % shape.numItems);
  const positions = new Int32Array(total);
  for (let b = 0; b < lengths.length; b++) for (let i = 0; i < lengths[b]; i++) positions[offsets[b] + i] = i;
  return {
    itemIds: Int32Array.from({ length: total }, (_, i) => id(i)),
    targetIds: Int32Array.from({ length: total }, (_, i) => id(i + 1)),
    positions,
    offsets,
  };
}

interface Parameters {
  readonly variables: readonly Variable[];
  matrix(name: string): Tensor2D;
  vector(name: string): Tensor1D;
}

function createParameters({ numItems, maxLength, width, numBlocks }: SasrecShape): Parameters {
  const byName = new Map<string, Variable>();
  const add = (name: string, shape: number[], spread: number, centre = 0) => {
    const initial = tf.randomNormal(shape, centre, spread, 'float32', byName.size + 1);
    byName.set(name, tf.variable(initial, true, name));
    initial.dispose();
  };
  add('items', [numItems + 3, width], 0.02);
  add('positions', [maxLength, width], 0.02);
  for (let block = 0; block < numBlocks; block++) {
    for (const name of ['query', 'key', 'value', 'out', 'inner', 'outer']) {
      add(`${block}.${name}`, [width, width], 1 / Math.sqrt(width));
      add(`${block}.${name}.bias`, [width], 0);
    }
    for (const name of ['norm1', 'norm2']) {
      add(`${block}.${name}.gamma`, [width], 0, 1);
      add(`${block}.${name}.beta`, [width], 0);
    }
  }
  add('last.gamma', [width], 0, 1);
  add('last.beta', [width], 0);
  return {
    variables: [...byName.values()],
    matrix: (name) => byName.get(name) as unknown as Tensor2D,
    vector: (name) => byName.get(name) as unknown as Tensor1D,
  };
}

/** SASRec (Kang & McAuley 2018): pre-norm attention, point-wise feed-forward with ReLU, tied softmax over all items. */
export function createTrainStep(
  shape: SasrecShape,
  precision: 'float32' | 'bfloat16' = 'float32',
): (batch: Batch) => number {
  const p = createParameters(shape);
  const moments = p.variables.map((variable) => [0, 1].map(() => tf.variable(tf.zerosLike(variable), false)));
  let step = 0;

  const loss = (batch: Batch, step: number): Scalar => {
    let layer = 0;
    const dropout = (): Dropout => ({ rate: shape.dropoutRate, seed: deriveSeed(17, step, layer++) });
    const affine = (x: Tensor2D, name: string, activation: 'none' | 'relu' = 'none') =>
      linear(x, p.matrix(name), p.vector(`${name}.bias`), activation);
    let x = embed(p.matrix('items'), batch.itemIds, {
      positionTable: p.matrix('positions'),
      positions: batch.positions,
      scale: Math.sqrt(shape.width),
      dropout: dropout(),
    });
    for (let block = 0; block < shape.numBlocks; block++) {
      const normal = residualNorm(x, p.vector(`${block}.norm1.gamma`), { beta: p.vector(`${block}.norm1.beta`) });
      const attended = jaggedAttention(
        affine(normal, `${block}.query`),
        affine(normal, `${block}.key`),
        affine(normal, `${block}.value`),
        batch.offsets,
        { causal: true, dropout: dropout() },
      );
      x = residualAdd(affine(attended, `${block}.out`), x, dropout());
      const second = residualNorm(x, p.vector(`${block}.norm2.gamma`), { beta: p.vector(`${block}.norm2.beta`) });
      const inner = affine(second, `${block}.inner`, 'relu');
      x = residualAdd(affine(inner, `${block}.outer`), x, dropout());
    }
    const hidden = residualNorm(x, p.vector('last.gamma'), { beta: p.vector('last.beta') });
    return softmaxHead(hidden, p.matrix('items'), batch.targetIds, { precision });
  };

  return (batch) => {
    step++;
    const { value, grads } = tf.variableGrads(() => loss(batch, step), [...p.variables]);
    p.variables.forEach((parameter, i) => {
      adam({
        parameter,
        gradient: grads[parameter.name],
        moment1: moments[i][0],
        moment2: moments[i][1],
        learningRate: 1e-3,
        beta1: 0.9,
        beta2: 0.98,
        epsilon: 1e-8,
        weightDecay: 0,
        step,
      });
    });
    const loss_ = value.dataSync()[0];
    tf.dispose([value, grads as NamedTensorMap]);
    return loss_;
  };
}
