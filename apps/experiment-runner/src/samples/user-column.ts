import type { Experiment } from '../experiment/experiment.ts';

/** The log's column of users; a generated log has none that is carried along. */
export function userColumnOf({ dataset }: Pick<Experiment, 'dataset'>): string | undefined {
  return 'columns' in dataset ? dataset.columns.user : undefined;
}
