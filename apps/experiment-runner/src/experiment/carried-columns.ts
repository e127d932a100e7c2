import { columnsOfFeatures, keyOfColumn, type RawColumn } from '@nimue/data';
import { columnsOfEvaluation, columnsOfHeads } from '@nimue/trainer';
import { userColumnOf } from '../samples/user-column.ts';
import type { Experiment } from './experiment.ts';

type Asking = Pick<Experiment, 'dataset' | 'features' | 'evaluation' | 'heads' | 'report'>;

/** The columns of the log that are prepared along with items and times: for features, evaluation, heads and report. */
export function carriedColumns({ dataset, features, evaluation, heads, report }: Asking): RawColumn[] {
  const user = report.users.length > 0 ? userColumnOf({ dataset }) : undefined;
  const users: RawColumn[] = user === undefined ? [] : [{ name: user, kind: 'text' }];
  const columns = [
    ...columnsOfFeatures(features),
    ...columnsOfEvaluation(evaluation),
    ...columnsOfHeads(heads),
    ...users,
  ];
  return [...new Map(columns.map((column) => [keyOfColumn(column), column])).values()];
}
