import type { TrainerCallback, WindowResult } from '@nimue/trainer';
import { writeTensorboard } from '../export/write-tensorboard.ts';
import type { RunFolder } from './run-folder.ts';

/** A line of `metrics.jsonl` for every window, on disk as soon as it is measured. */
export function resultLines(folder: RunFolder): TrainerCallback {
  return {
    onEvent(event) {
      if (event.type === 'windowDone') folder.addResult(event.result);
    },
  };
}

/** TensorBoard's event files, when the run is done. */
export function tensorboardFiles(folder: string, startedAt: Date): TrainerCallback {
  const results: WindowResult[] = [];
  return {
    onEvent(event) {
      if (event.type === 'windowDone') results.push(event.result);
    },
    onDone: () => writeTensorboard(folder, results, startedAt),
  };
}
