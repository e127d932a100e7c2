import type { EvaluationPlan, WindowedDataset } from '@nimue/data';

/** What a trained model has learned of a data set, and which of its windows it can be asked about. */
export interface WindowsToEvaluate {
  /** Windows that it learned from, step by step. */
  readonly learned: readonly (readonly number[])[];
  readonly evaluateWindows: readonly number[];
  /** What a person should know of the choice. */
  readonly note?: string;
}

/**
 * The windows that come after all that a model has learned from: those of the plan where the plan has trained so, otherwise
 * every later window with sessions.
 *
 * @param trainWindows ids of the windows that the model learned from, oldest first
 * @throws when no window of the data set is later
 */
export function windowsToEvaluate(
  trainWindows: readonly string[],
  { windows }: Pick<WindowedDataset, 'windows'>,
  plan: EvaluationPlan,
): WindowsToEvaluate {
  let steps: (readonly number[])[] = [];
  for (const step of plan.steps) {
    steps = step.carryWeights ? [...steps, step.trainWindows] : [step.trainWindows];
    const fitted = steps.flat().map((window) => windows[window].id);
    if (fitted.join('\n') === trainWindows.join('\n')) {
      const later = step === plan.steps[plan.steps.length - 1] ? [] : laterThan(step.evaluateWindow, windows);
      return { learned: steps, evaluateWindows: [step.evaluateWindow, ...later] };
    }
  }
  const placeOf = new Map(windows.map(({ id }, window) => [id, window]));
  const known = trainWindows.flatMap((id) => placeOf.get(id) ?? []);
  const last = trainWindows[trainWindows.length - 1];
  const lastKnown = placeOf.get(last);
  const candidates =
    lastKnown !== undefined
      ? laterThan(lastKnown, windows)
      : windows.flatMap(({ id, numSessions }, window) => (numSessions > 0 && isLater(id, last) ? [window] : []));
  if (candidates.length === 0) {
    throw new Error(
      `the model has learned up to ${last}, and no window of the log is later: ${windows[0].id} … ${windows[windows.length - 1].id}; evaluate it on what came after`,
    );
  }
  const learned = known.map((window) => [window]);
  if (trainWindows.every((id) => placeOf.has(id))) return { learned, evaluateWindows: candidates };
  return {
    learned,
    evaluateWindows: candidates,
    note: `${trainWindows.length - known.length} of the ${trainWindows.length} windows that the model learned from are not in this log: slices and metrics of lists know less of the items`,
  };
}

function laterThan(last: number, windows: WindowedDataset['windows']): number[] {
  return windows.flatMap(({ numSessions }, window) => (window > last && numSessions > 0 ? [window] : []));
}

/** Ids of the same span are written so that later ones sort after earlier ones. */
function isLater(id: string, last: string): boolean {
  return id.length === last.length && /^\d/.test(id) && /^\d/.test(last) && id > last;
}
