import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { LossInputs } from './loss-spec.ts';

/**
 * An output of the model beside the ranking of items: one number per target, computed from the same hidden state, that
 * says something else about the event that comes next.
 */
export interface TaskHead {
  /** Unique within a model; names its weights, its labels (`batch.targets.labels`) and its figures. */
  readonly name: string;
  /** `binary`: the output is a logit and the label 0 or 1. `regression`: both are standardised numbers. */
  readonly kind: 'binary' | 'regression';
  /** Column of the log that the label is made of. */
  readonly column: string;
  /** `binary`: values of a text column that are 1, all others are 0; without them the column holds 0 and 1. */
  readonly is?: readonly string[];
  /** `regression`: ln(1 + x) of the column is learned. */
  readonly log?: boolean;
  /** Width of the layer between the hidden state and the output; none when absent. */
  readonly hiddenSize?: number;
}

/** Options of every loss with a head. */
export const taskHeadFields = {
  column: z
    .string()
    .min(1)
    .describe(
      'Column of the log: what it holds in the event that is to be predicted is the label; a missing cell is none.',
    ),
  as: z
    .string()
    .regex(/^[A-Za-z]\w*$/, { error: 'expected a name of letters, digits and underscores, such as bought' })
    .optional()
    .describe("Name of the head in tables; default: the column's."),
  hiddenSize: z
    .int()
    .min(1)
    .optional()
    .describe('Width of a GELU layer between hidden state and output; a linear head when not given.'),
};

/** The head's name: `as`, or the column with everything but letters, digits and underscores left out. */
export function headName({ as, column }: { readonly as?: string; readonly column: string }): string {
  return as ?? (column.replace(/\W+/g, '_').replace(/^(?=\d|$)/, 'column_') || column);
}

/**
 * Mean over the labelled targets of a row loss; 0 where none is labelled.
 *
 * @param rowLosses from outputs [N] and labels [N], unlabelled ones 0 there, to losses [N]
 * @throws when the batch has no such labels, or the model no such head
 */
export function labelledMean(
  loss: string,
  { name }: Pick<TaskHead, 'name'>,
  { hidden, batch, headOutput }: LossInputs,
  rowLosses: (outputs: Tensor1D, labels: Tensor1D) => Tensor1D,
): Scalar {
  const numRows = hidden.shape[0];
  if (numRows === 0) return tf.mul(0, tf.sum(hidden)) as Scalar;
  const labels = batch?.targets.labels?.[name];
  if (!labels) {
    throw new Error(`${loss}: the batch carries no labels '${name}'; add their column to the train sessions`);
  }
  if (labels.length !== numRows) {
    throw new Error(`${loss}: there are ${labels.length} labels '${name}' for ${numRows} targets`);
  }
  if (!headOutput) throw new Error(`${loss}: the model has no heads; add '${name}' to it first`);
  const outputs = headOutput(name, hidden);
  return tf.tidy(() => {
    const isLabelled = Float32Array.from(labels, (label) => (Number.isNaN(label) ? 0 : 1));
    const count = isLabelled.reduce((sum, one) => sum + one, 0);
    const known = tf.tensor1d(labels.map((label) => (Number.isNaN(label) ? 0 : label)));
    const sum = tf.sum(tf.mul(rowLosses(outputs, known), tf.tensor1d(isLabelled)));
    return tf.div(sum, Math.max(1, count)) as Scalar;
  });
}
