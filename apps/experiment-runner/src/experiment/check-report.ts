import { userColumnOf } from '../samples/user-column.ts';
import type { Experiment } from './experiment.ts';
import type { Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** Refuses recommendations for users of a log that has none. */
export function checkReport(file: YamlFile, experiment: Experiment): Problem[] {
  if (experiment.report.users.length === 0 || userColumnOf(experiment) !== undefined) return [];
  const path = ['report', 'users'];
  const message = 'the log has no column of users; name it in dataset.columns.user, or leave this out';
  return [{ place: file.placeOf(path, 'value'), path, message }];
}
