import { formatCount } from './format.ts';
import type { TextTable } from './headline.ts';
import type { RunReport } from './run-report.ts';

export const SPEED_NOTE =
  'Events per second count every epoch. Memory is the resident size of the whole process at the end of a window, so it includes ' +
  'what the models before it left to the process.';

/** How fast each model learned and answered. */
export function speedTable({ summaries, usage }: RunReport): TextTable {
  return {
    head: ['model', 'train s', 'train events/s', 'evaluate s', 'targets/s', 'memory MiB'],
    rows: summaries.map(({ model, trainSeconds, evaluateSeconds, numTargets }) => {
      const own = usage.find((entry) => entry.model === model);
      return [
        model,
        trainSeconds.toFixed(1),
        own && own.numEventsRead > 0 ? formatCount(own.numEventsRead / trainSeconds) : '–',
        evaluateSeconds.toFixed(1),
        evaluateSeconds > 0 ? formatCount(numTargets / evaluateSeconds) : '–',
        own && own.memoryBytes > 0 ? formatCount(own.memoryBytes / 2 ** 20) : '–',
      ];
    }),
  };
}
