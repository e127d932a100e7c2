import type { WindowedDataset } from '@nimue/data';
import type { Experiment } from '../experiment/experiment.ts';
import { formatCount } from '../report/format.ts';
import type { RunPlan } from './run-plan.ts';

/** What the run is about to do, as lines for the terminal. */
export function describeRun(log: WindowedDataset, { evaluation }: RunPlan, experiment: Experiment): string[] {
  const { windows, numRawItems } = log;
  const sum = (pick: (window: (typeof windows)[number]) => number) => windows.reduce((all, w) => all + pick(w), 0);
  return [
    `data: ${count(
      sum((w) => w.numEvents),
      'event',
    )} in ${count(
      sum((w) => w.numSessions),
      'session',
    )} on ` +
      `${count(numRawItems, 'item')}, ${count(windows.length, 'window')} ${windows[0].id} … ${windows[windows.length - 1].id}`,
    ...evaluation.skipped.map(({ id, reason }) => `window ${id} is skipped: ${reason}`),
    `plan: ${count(experiment.contenders.length, 'model')} × ${count(experiment.seeds.length, 'seed')}, ` +
      `${experiment.policy.policy} training, ${count(evaluation.steps.length, 'evaluated window')}`,
  ];
}

function count(number: number, what: string): string {
  return `${formatCount(number)} ${what}${number === 1 ? '' : 's'}`;
}
