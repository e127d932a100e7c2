import type { SessionBatch } from '@nimue/batch';
import { type ItemHistory, type Loss, replacedTokenLoss } from '@nimue/losses';
import { type CarriedStates, headOutput, hiddenAtTargets, type NeuralModel } from '@nimue/models';
import {
  clipByGlobalNorm,
  gradientsByRows,
  type MovedRows,
  type ProductPrecision,
  withProductPrecision,
} from '@nimue/ops';
import type { NamedTensorMap, Scalar, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { meanGradients } from './accumulate-gradients.ts';
import type { Optimizer } from './optimizer.ts';

export interface TrainStepArgs {
  readonly model: NeuralModel;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Inputs with their targets inside. */
  readonly batch: SessionBatch;
  /** More batches of the same step: the gradients are those of one batch of all their sessions, to float error. */
  readonly further?: readonly { readonly batch: SessionBatch; readonly seed: number }[];
  /** Seeds every dropout and every draw of the batch. */
  readonly seed: number;
  /** Of the train windows so far, for losses that draw or choose items by it. */
  readonly itemHistory?: ItemHistory;
  readonly learningRate: number;
  readonly clipNorm?: number;
  /** A loss above it changes nothing, as one that is not finite. */
  readonly maxLoss?: number;
  /** States of the batch's sessions, for a model that carries them from step to step. */
  readonly carried?: CarriedStates;
  /** Tables that were only looked up move in those rows alone. */
  readonly touchedRowsOnly?: boolean;
  /** Operands of the products of linear layers and softmax head; `float32` when not given. */
  readonly precision?: ProductPrecision;
}

/**
 * One step: loss of the batch, gradients, update in place. Tensors are created and disposed within.
 *
 * @returns the loss before the update, a mean over the targets; when it is not finite or above `maxLoss` nothing was updated
 */
export function trainStep(args: TrainStepArgs): number {
  const { model, optimizer, batch, seed, learningRate, clipNorm, maxLoss = Number.POSITIVE_INFINITY } = args;
  const batches = [{ batch, seed }, ...(args.further ?? [])];
  const { lossValue, gradients, rows } = withProductPrecision(args.precision ?? 'float32', () =>
    gradientsOfStep(args, batches),
  );
  let current = gradients;
  if (Number.isFinite(lossValue) && lossValue <= maxLoss) {
    if (clipNorm !== undefined) {
      const names = Object.keys(gradients);
      const clipped = clipByGlobalNorm(
        names.map((name) => gradients[name]),
        clipNorm,
      );
      current = Object.fromEntries(names.map((name, i) => [name, clipped.gradients[i]]));
    }
    optimizer.apply(model.parameters, current, learningRate, rows);
  }
  tf.dispose(current);
  return lossValue;
}

function gradientsOfStep(
  { model, loss, touchedRowsOnly, carried, itemHistory }: TrainStepArgs,
  batches: readonly { readonly batch: SessionBatch; readonly seed: number }[],
) {
  const parts = batches.map(({ batch, seed }) => {
    const { value, gradients, rows } = lossAndGradients(model, loss, batch, seed, {
      touchedRowsOnly,
      carried,
      itemHistory,
    });
    const lossValue = value.dataSync()[0];
    value.dispose();
    return { lossValue, gradients, rows, weight: weightOfTargets(batch) };
  });
  if (parts.length === 1) return parts[0];
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const lossValue = parts.reduce((sum, part) => sum + (part.lossValue * part.weight) / (total || 1), 0);
  return { lossValue, ...meanGradients(parts) };
}

/** How much a batch counts beside others of its step: its targets, each by its weight. */
export function weightOfTargets({ targets: { positions, weights } }: SessionBatch): number {
  return weights ? weights.reduce((sum, weight) => sum + weight, 0) : positions.length;
}

/**
 * The loss of a batch and the gradient of every parameter it depends on, by parameter name. The caller disposes both. With
 * `touchedRowsOnly`, the gradient of a table that was only looked up is that of the rows in `rows`.
 */
export function lossAndGradients(
  model: NeuralModel,
  loss: Loss,
  batch: SessionBatch,
  seed: number,
  {
    touchedRowsOnly = false,
    carried,
    itemHistory,
  }: Pick<TrainStepArgs, 'touchedRowsOnly' | 'carried' | 'itemHistory'> = {},
): { value: Scalar; gradients: NamedTensorMap; rows: Record<string, MovedRows> } {
  const nameOf = new Map(model.parameters.names.map((name) => [model.parameters.variable(name).name, name]));
  const variables = model.parameters.names.map((name) => model.parameters.variable(name));
  const heads = loss.heads && ((head: string, hidden: Tensor2D) => headOutput(model.parameters, head, hidden));
  const ofTargets: Loss = (inputs) => loss({ ...inputs, seed, batch, itemHistory, headOutput: heads });
  const compute = () => {
    if (model.trainingLoss) return model.trainingLoss(batch, seed, ofTargets, replacedTokenLoss);
    const mode = { training: true, seed, carried } as const;
    return ofTargets({
      hidden: hiddenAtTargets(model, batch, mode),
      itemTable: model.itemTable(mode),
      itemBias: model.itemBias(),
      targetIds: batch.targets.itemIds,
    });
  };
  const gradients: NamedTensorMap = {};
  const rows: Record<string, MovedRows> = {};
  if (touchedRowsOnly) {
    const byRows = gradientsByRows(compute, variables);
    for (const [variable, part] of byRows.gradients) {
      const name = nameOf.get(variable.name) as string;
      gradients[name] = part.gradient;
      if (part.rows) rows[name] = part.rows;
    }
    return { value: byRows.value, gradients, rows };
  }
  const { value, grads } = tf.variableGrads(compute, variables);
  for (const [variableName, gradient] of Object.entries(grads)) {
    if (gradient) gradients[nameOf.get(variableName) as string] = gradient;
  }
  return { value, gradients, rows };
}
