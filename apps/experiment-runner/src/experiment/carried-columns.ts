import { columnsOfFeatures, keyOfColumn, type RawColumn } from '@nimue/data';
import { columnsOfEvaluation } from '@nimue/trainer';
import type { Experiment } from './experiment.ts';

/** The columns of the log that are prepared along with items and times, for features and for the evaluation. */
export function carriedColumns({ features, evaluation }: Pick<Experiment, 'features' | 'evaluation'>): RawColumn[] {
  const columns = [...columnsOfFeatures(features), ...columnsOfEvaluation(evaluation)];
  return [...new Map(columns.map((column) => [keyOfColumn(column), column])).values()];
}
