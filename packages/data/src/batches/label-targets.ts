import type { SessionBatch } from '@nimue/batch';
import type { Objective, ObjectiveDraw } from './objective.ts';

const PREFIX = 'label:';

/**
 * Name of the column [T] of encoded sessions that holds a label. No model is ever shown such a column: batches carry its
 * values at the events that are to be predicted, as `targets.labels`.
 *
 * @example
 * labelColumn('bought'); // → 'label:bought'
 */
export function labelColumn(label: string): `label:${string}` {
  return `${PREFIX}${label}`;
}

/**
 * Name of the column [T] of encoded sessions that says how much each event counts as a target. No model is ever shown it:
 * batches carry it as `targets.weights`.
 */
export const WEIGHT_COLUMN = 'weight:target';

/** Columns of events apart: what a model is shown, and what is known of the events that are to be predicted. */
export interface ColumnsApart {
  readonly inputs: NonNullable<SessionBatch['features']>;
  /** By the label's name. */
  readonly labels: NonNullable<SessionBatch['features']>;
  readonly weights?: Int32Array | Float32Array;
}

/** Takes label and weight columns out of the columns of encoded sessions. */
export function takeApart(features: SessionBatch['features'] = {}): ColumnsApart {
  const { [WEIGHT_COLUMN]: weights, ...rest } = features;
  const columns = Object.entries(rest);
  const labels = columns.filter(([name]) => name.startsWith(PREFIX));
  return {
    inputs: Object.fromEntries(columns.filter(([name]) => !name.startsWith(PREFIX))),
    labels: Object.fromEntries(labels.map(([name, column]) => [name.slice(PREFIX.length), column])),
    ...(weights && { weights }),
  };
}

/**
 * What is known of targets, from the events that they are.
 *
 * @param events of every target [N]
 */
export function knownOfTargets(
  { labels, weights }: ColumnsApart,
  events: Int32Array,
): Pick<SessionBatch['targets'], 'labels' | 'weights'> {
  const take = (column: Int32Array | Float32Array) => Float32Array.from(events, (event) => column[event]);
  const named = Object.entries(labels).map(([name, column]) => [name, take(column)] as const);
  return {
    ...(named.length > 0 && { labels: Object.fromEntries(named) }),
    ...(weights && { weights: take(weights) }),
  };
}

/** The objective's batch of whole sessions, label and weight columns taken out of the inputs and put beside the targets. */
export function createLabelledBatch(
  objective: Pick<Objective, 'createTrainingBatch' | 'numTargetOnly'>,
  whole: SessionBatch,
  draw: ObjectiveDraw,
): SessionBatch {
  const apart = takeApart(whole.features);
  const { inputs, labels, weights } = apart;
  if (!weights && Object.keys(labels).length === 0) return objective.createTrainingBatch(whole, draw);
  const { features: _, ...rest } = whole;
  const batch = objective.createTrainingBatch(
    { ...rest, ...(Object.keys(inputs).length > 0 && { features: inputs }) },
    draw,
  );
  const events = targetEvents(whole.offsets, batch, objective.numTargetOnly);
  return { ...batch, targets: { ...batch.targets, ...knownOfTargets(apart, events) } };
}

/** For every target the event of the whole sessions that it is [N]: every objective keeps the sessions of two events or more. */
function targetEvents(whole: Int32Array, { offsets, targets }: SessionBatch, numTargetOnly: 0 | 1): Int32Array {
  const kept: number[] = [];
  for (let s = 0; s < whole.length - 1; s++) if (whole[s + 1] - whole[s] >= 2) kept.push(s);
  const isAligned =
    kept.length === offsets.length - 1 &&
    kept.every((s, b) => whole[s + 1] - whole[s] === offsets[b + 1] - offsets[b] + numTargetOnly);
  if (!isAligned) throw new Error('labels: the objective leaves out events other than those that are only targets');
  let b = 0;
  return targets.positions.map((position) => {
    while (position >= offsets[b + 1]) b++;
    return whole[kept[b]] + position - offsets[b] + numTargetOnly;
  });
}
