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

/** The objective's batch of whole sessions, label columns taken out of the inputs and put beside the targets. */
export function createLabelledBatch(
  objective: Pick<Objective, 'createTrainingBatch' | 'numTargetOnly'>,
  whole: SessionBatch,
  draw: ObjectiveDraw,
): SessionBatch {
  const columns = Object.entries(whole.features ?? {});
  const labels = columns.filter(([name]) => name.startsWith(PREFIX));
  if (labels.length === 0) return objective.createTrainingBatch(whole, draw);
  const { features: _, ...rest } = whole;
  const inputs = columns.filter(([name]) => !name.startsWith(PREFIX));
  const batch = objective.createTrainingBatch(
    { ...rest, ...(inputs.length > 0 && { features: Object.fromEntries(inputs) }) },
    draw,
  );
  const events = targetEvents(whole.offsets, batch, objective.numTargetOnly);
  const taken = labels.map(([name, column]) => [
    name.slice(PREFIX.length),
    Float32Array.from(events, (event) => column[event]),
  ]);
  return { ...batch, targets: { ...batch.targets, labels: Object.fromEntries(taken) } };
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
