import type { SessionBatch } from '@nimue/batch';
import { adam, deriveSeed, softmaxHead } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import type { NeuralModel } from '../src/next-item-model.ts';
import { hiddenAtTargets } from '../src/rank-by-hidden.ts';

/** What training minimises with the full softmax as the loss of the targets, as a scalar tensor. */
export function batchLoss(model: NeuralModel, batch: SessionBatch, seed: number): tf.Scalar {
  if (model.trainingLoss) {
    return model.trainingLoss(
      batch,
      seed,
      ({ hidden, itemTable, itemBias, targetIds }) => softmaxHead(hidden, itemTable, targetIds, { bias: itemBias }),
      ({ generatorLoss, logits, isReplaced, weight }) => {
        const labels = tf.tensor2d(Float32Array.from(isReplaced), [isReplaced.length, 1]);
        return tf.add(generatorLoss, tf.mul(weight, tf.losses.sigmoidCrossEntropy(labels, logits))) as tf.Scalar;
      },
    );
  }
  const hidden = hiddenAtTargets(model, batch, { training: true, seed });
  return softmaxHead(hidden, model.itemTable(), batch.targets.itemIds, { bias: model.itemBias() });
}

/** A bare training loop on one batch: the models package does not know the trainer. */
export function trainBriefly(model: NeuralModel, batch: SessionBatch, numSteps: number, learningRate = 0.01): void {
  const { parameters } = model;
  const variables = parameters.names.map((name) => parameters.variable(name));
  const zerosLike = (v: tf.Variable) => tf.tidy(() => tf.variable(tf.zerosLike(v), false));
  const moments = variables.map((v) => ({ moment1: zerosLike(v), moment2: zerosLike(v) }));
  for (let step = 1; step <= numSteps; step++) {
    const { value, grads } = tf.variableGrads(() => batchLoss(model, batch, deriveSeed(5, step)), variables);
    variables.forEach((parameter, i) => {
      const gradient = grads[parameter.name];
      const rest = { learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, step };
      if (gradient) adam({ parameter, gradient, ...moments[i], ...rest });
    });
    tf.dispose([value, grads]);
  }
  tf.dispose(moments.flatMap(({ moment1, moment2 }) => [moment1, moment2]));
}
