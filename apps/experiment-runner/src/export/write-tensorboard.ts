import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EpochRecord, RunPosition, TrainerCallback } from '@nimue/trainer';
import { type Scalar, tensorboardRecord, tensorboardVersion } from './tensorboard-events.ts';

/** Seconds between two figures of steps, which would otherwise outweigh all others. */
const STEP_SECONDS = 1;

/** What has been written of one model with one seed. */
interface Written {
  readonly file: string;
  /** Whether it is there; windows that were done before a stop have figures in the file of that time. */
  isBegun: boolean;
  /** Epochs and steps of the windows that are over. */
  numEpochs: number;
  numSteps: number;
  /** When a step was written last, in seconds. */
  lastStep: number;
}

/**
 * Writes `tensorboard/<model>-seed<seed>/events.out.tfevents.<begin>.nimue` as the training goes: loss and learning rate of steps
 * (one a second at most) and epochs, what was measured on the valid part after epochs, and the metrics of windows. Steps and
 * epochs are counted on over the windows, also where a run is resumed: its figures go to a file of their own beside the first.
 *
 * @param startedAt when this process began to train
 * @param now seconds since 1970
 */
export function tensorboardFiles(
  folder: string,
  startedAt: Date,
  now: () => number = () => Date.now() / 1000,
): TrainerCallback {
  const start = Math.floor(startedAt.getTime() / 1000);
  const runs = new Map<string, Written>();
  const runOf = ({ model, seed }: Pick<RunPosition, 'model' | 'seed'>): Written => {
    const name = `${model.replace(/[^A-Za-z0-9._-]+/g, '-')}-seed${seed}`;
    let run = runs.get(name);
    if (!run) {
      const file = join(folder, 'tensorboard', name, `events.out.tfevents.${start}.nimue`);
      run = { file, isBegun: false, numEpochs: 0, numSteps: 0, lastStep: 0 };
      runs.set(name, run);
    }
    return run;
  };
  const write = (run: Written, step: number, values: Readonly<Record<string, number>>) => {
    const wallTime = now();
    const scalars = Object.entries(values).map(([tag, value]): Scalar => ({ tag, step, value, wallTime }));
    const records = scalars.map(tensorboardRecord);
    if (!run.isBegun) {
      mkdirSync(dirname(run.file), { recursive: true });
      records.unshift(tensorboardVersion(start));
      run.isBegun = true;
    }
    appendFileSync(run.file, Buffer.concat(records));
  };
  const countOn = (run: Written, epochs: readonly EpochRecord[]) => {
    run.numEpochs += epochs.length;
    run.numSteps += epochs.at(-1)?.step ?? 0;
  };
  return {
    onEvent(event) {
      if (event.type === 'stepDone') {
        const run = runOf(event);
        if (now() - run.lastStep < STEP_SECONDS) return;
        run.lastStep = now();
        const values = { 'step/loss': event.loss, 'step/learningRate': event.learningRate };
        write(run, run.numSteps + event.step, values);
      } else if (event.type === 'epochDone') {
        const run = runOf(event);
        const measured = Object.entries(event.validation).map(([metric, value]) => [`valid/${metric}`, value]);
        write(run, run.numEpochs + event.epoch, {
          'train/loss': event.loss,
          'train/learningRate': event.learningRate,
          ...Object.fromEntries(measured),
        });
      } else if (event.type === 'windowDone') {
        const { result, isRestored } = event;
        const run = runOf(result);
        countOn(run, result.epochs ?? []);
        if (isRestored) return;
        const measured = Object.entries(result.metrics).map(([metric, value]) => [`evaluate/${metric}`, value]);
        write(run, result.windowIndex + 1, Object.fromEntries(measured));
      }
    },
  };
}
