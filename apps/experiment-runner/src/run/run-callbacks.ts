import type { TrainerCallback } from '@nimue/trainer';
import type { RunFolder } from './run-folder.ts';

/** A line of `metrics.jsonl` for every window, on disk as soon as it is measured. */
export function resultLines(folder: RunFolder): TrainerCallback {
  return {
    onEvent(event) {
      if (event.type === 'windowDone') folder.addResult(event.result);
    },
  };
}
