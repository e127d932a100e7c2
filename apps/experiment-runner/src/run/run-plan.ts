import type { NamedConfig } from '@nimue/container';
import type { EvaluationPlan, WindowedDataset } from '@nimue/data';
import type { Contender, Reference } from '@nimue/trainer';

/** One row of the comparison with one seed. */
export type RunPart =
  | {
      readonly kind: 'contender';
      readonly contender: Contender;
      /** Name and options of its model. */
      readonly model: NamedConfig;
      readonly isNeural: boolean;
      /** The row that the others are shown beside as the run goes. */
      readonly isPopularity?: boolean;
      readonly seed: number;
    }
  | { readonly kind: 'reference'; readonly reference: Reference; readonly seed: number };

/** Everything that a run is going to do, in order. */
export interface RunPlan {
  readonly dataset: WindowedDataset;
  readonly evaluation: EvaluationPlan;
  readonly parts: readonly RunPart[];
}

export function labelOfPart(part: RunPart): string {
  return part.kind === 'contender' ? part.contender.label : part.reference.label;
}

/**
 * Events that each window of a part takes, the unit of the remaining time: every epoch reads the train windows once,
 * and evaluation, without gradients, counts for a third of a reading.
 */
export function workOfWindows(plan: RunPlan, part: RunPart): number[] {
  const numEvents = (window: number) => plan.dataset.windows[window].numEvents;
  return plan.evaluation.steps.map((step) => {
    const evaluated = numEvents(step.evaluateWindow) / 3;
    if (part.kind === 'reference' || !part.isNeural) return evaluated / 10;
    const read = step.trainWindows.reduce((sum, window) => sum + numEvents(window), 0);
    const { epochs, baseEpochs = epochs } = part.contender.training;
    return evaluated + read * (step.carryWeights ? epochs : baseEpochs);
  });
}
