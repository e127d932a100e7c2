import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WindowResult } from '@nimue/trainer';
import { type Scalar, tensorboardEvents } from './tensorboard-events.ts';

/**
 * Writes `tensorboard/<model>-seed<seed>/events.out.tfevents.*`: loss, learning rate and validated metrics by epoch
 * (counted on over the windows), metrics by window.
 */
export async function writeTensorboard(
  folder: string,
  results: readonly WindowResult[],
  startedAt: Date,
): Promise<void> {
  const start = Math.floor(startedAt.getTime() / 1000);
  const runs = new Map<string, Scalar[]>();
  const scalarsOf = ({ model, seed }: { model: string; seed: number }) => {
    const name = `${model.replace(/[^A-Za-z0-9._-]+/g, '-')}-seed${seed}`;
    const scalars = runs.get(name) ?? [];
    runs.set(name, scalars);
    return scalars;
  };
  const steps = new Map<string, number>();
  for (const result of results) {
    const scalars = scalarsOf(result);
    const key = JSON.stringify([result.model, result.seed]);
    for (const { loss, learningRate, validation } of result.epochs ?? []) {
      const step = (steps.get(key) ?? 0) + 1;
      steps.set(key, step);
      const values = Object.entries({ 'train/loss': loss, 'train/learningRate': learningRate });
      for (const [metric, value] of Object.entries(validation)) values.push([`valid/${metric}`, value]);
      for (const [tag, value] of values) scalars.push({ tag, step, value, wallTime: start + step });
    }
    const step = result.windowIndex + 1;
    for (const [metric, value] of Object.entries(result.metrics)) {
      scalars.push({ tag: `evaluate/${metric}`, step, value, wallTime: start + step });
    }
  }
  for (const [name, scalars] of runs) {
    const path = join(folder, 'tensorboard', name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, `events.out.tfevents.${start}.nimue`), tensorboardEvents(scalars, start), {
      flag: 'wx',
    });
  }
}
