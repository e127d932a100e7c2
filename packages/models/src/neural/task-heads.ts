import { linear } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { NeuralModel } from '../next-item-model.ts';
import type { ParameterStore } from '../parameter-store.ts';

/** An output beside the ranking of items: its name, and the width of a layer before it, where there is one. */
export interface HeadShape {
  readonly name: string;
  readonly hiddenSize?: number;
}

const PREFIX = 'heads.';

/** Whether a weight belongs to a head: what ranks items does without it. */
export function isHeadWeight(parameter: string): boolean {
  return parameter.startsWith(PREFIX);
}

/**
 * Adds heads that read what is compared with the item vectors, h [N, D]: `heads.<name>.prediction` (h W + b), after
 * `heads.<name>.dense` (GELU) where the head has a `hiddenSize`. Outputs start at 0. The other weights stay as they are.
 */
export function addHeads(model: Pick<NeuralModel, 'parameters' | 'itemTable'>, heads: readonly HeadShape[]): void {
  const { parameters } = model;
  const width = tf.tidy(() => model.itemTable().shape[1]);
  for (const { name, hiddenSize } of heads) {
    const weights = `${PREFIX}${name}`;
    if (hiddenSize !== undefined) {
      parameters.add(`${weights}.dense.weights`, [width, hiddenSize], { kind: 'glorot' });
      parameters.add(`${weights}.dense.bias`, [hiddenSize], { kind: 'zeros' });
    }
    parameters.add(`${weights}.prediction.weights`, [hiddenSize ?? width, 1], { kind: 'zeros' });
    parameters.add(`${weights}.prediction.bias`, [1], { kind: 'zeros' });
  }
}

/** What a head says of N hidden states [N, D] → [N]. @throws when there is no such head */
export function headOutput(parameters: ParameterStore, name: string, hidden: Tensor2D): Tensor1D {
  const weights = `${PREFIX}${name}`;
  const apply = (x: Tensor2D, layer: string, activation?: 'gelu') =>
    linear(
      x,
      parameters.matrix(`${weights}.${layer}.weights`),
      parameters.vector(`${weights}.${layer}.bias`),
      activation,
    );
  const hasDense = parameters.names.includes(`${weights}.dense.weights`);
  const output = apply(hasDense ? apply(hidden, 'dense', 'gelu') : hidden, 'prediction');
  return tf.reshape(output, [-1]) as Tensor1D;
}
