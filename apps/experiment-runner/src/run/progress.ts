import type { Clock } from '@nimue/container';
import type { StepDone, TrainerEvent, WindowDone, WindowResult } from '@nimue/trainer';
import { labelOfPart, type RunPlan, workOfWindows } from './run-plan.ts';

/** What a person watching a run wants to know. */
export interface ProgressState {
  /** `window 3/7 2024-01-04 gru4rec`, and the seed where there are several. */
  readonly where: string;
  readonly epoch?: string;
  readonly step?: string;
  /** Exponential average over about 20 steps. */
  readonly loss?: number;
  readonly learningRate?: number;
  readonly sessionsPerSecond?: number;
  readonly eventsPerSecond?: number;
  /** At the end of a window: metric → difference to the popularity row of the same window. */
  readonly toPopularity?: Readonly<Record<string, number>>;
  /** Share of the whole run, 0 … 1. */
  readonly share: number;
  readonly remainingSeconds?: number;
}

/** Follows the trainer's events. */
export interface ProgressTracker {
  /** @returns where the run stands after the event */
  update(event: TrainerEvent): ProgressState;
}

const LOSS_MEMORY = 0.9;

export function createProgressTracker(plan: RunPlan, clock: Clock): ProgressTracker {
  const work = new Map(plan.parts.map((part) => [`${labelOfPart(part)} ${part.seed}`, workOfWindows(plan, part)]));
  let total = [...work.values()].flat().reduce((sum, value) => sum + value, 0);
  const showsSeed = new Set(plan.parts.map((part) => part.seed)).size > 1;
  const started = clock.elapsedMs();
  let finished = 0;
  let loss: number | undefined;
  let numEvents = 0;
  let numSessions = 0;
  let last: ProgressState | undefined;
  const popularity = plan.parts.find((part) => part.kind === 'contender' && part.isPopularity);
  const popularityLabel = popularity && labelOfPart(popularity);
  /** Metrics of the popularity row by evaluated window. */
  const popular = new Map<string, WindowResult['metrics']>();

  function stateAt(
    position: Pick<WindowResult, 'model' | 'seed' | 'windowIndex' | 'numWindows' | 'evaluateWindow'>,
    doing: number,
  ) {
    const share = total === 0 ? 0 : Math.min(1, (finished + doing) / total);
    const elapsed = (clock.elapsedMs() - started) / 1000;
    const { model, seed, windowIndex, numWindows, evaluateWindow } = position;
    return {
      where: `window ${windowIndex + 1}/${numWindows} ${evaluateWindow} ${model}${showsSeed ? ` seed ${seed}` : ''}`,
      share,
      // The first moments say little about the rest.
      ...(share > 0.01 && { remainingSeconds: (elapsed * (1 - share)) / share }),
    };
  }

  function workOf(position: { model: string; seed: number; windowIndex: number }): number {
    return work.get(`${position.model} ${position.seed}`)?.[position.windowIndex] ?? 0;
  }

  function ofStep(event: StepDone): ProgressState {
    loss = loss === undefined ? event.loss : LOSS_MEMORY * loss + (1 - LOSS_MEMORY) * event.loss;
    numEvents += event.numEvents;
    numSessions += event.numSessions;
    const seconds = Math.max(event.elapsedMs / 1000, 1e-3);
    return {
      ...stateAt(event, (workOf(event) * event.step) / event.numSteps),
      epoch: `${event.epoch}/${event.numEpochs}`,
      step: `${event.step}/${event.numSteps}`,
      loss,
      learningRate: event.learningRate,
      sessionsPerSecond: numSessions / seconds,
      eventsPerSecond: numEvents / seconds,
    };
  }

  function ofWindow({ result, isRestored }: WindowDone): ProgressState {
    if (isRestored) total -= workOf(result);
    else finished += workOf(result);
    const { model, evaluateWindow, metrics, trainSeconds } = result;
    if (model === popularityLabel) popular.set(evaluateWindow, metrics);
    const beside = model === popularityLabel ? undefined : popular.get(evaluateWindow);
    const readEvents = numEvents || result.numTrainEvents;
    return {
      ...stateAt(result, 0),
      ...(beside && {
        toPopularity: Object.fromEntries(
          Object.entries(metrics).map(([label, value]) => [label, value - beside[label]]),
        ),
      }),
      ...(result.loss !== undefined && { loss: result.loss }),
      ...(trainSeconds > 0 && numSessions > 0 && { sessionsPerSecond: numSessions / trainSeconds }),
      ...(trainSeconds > 0 && { eventsPerSecond: readEvents / trainSeconds }),
    };
  }

  function stateAfter(event: TrainerEvent): ProgressState {
    if (event.type === 'stepDone') return ofStep(event);
    if (event.type === 'windowDone') return ofWindow(event);
    if (event.type === 'epochDone') return last ?? stateAt(event, 0);
    loss = undefined;
    numEvents = 0;
    numSessions = 0;
    return stateAt(event, 0);
  }

  return {
    update(event) {
      last = stateAfter(event);
      return last;
    },
  };
}
