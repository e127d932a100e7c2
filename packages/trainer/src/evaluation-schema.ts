import { METRIC_NAMES, parseMetricAtK } from '@nimue/metrics';
import { z } from 'zod';

const metricLabel = z.string().refine(isMetricLabel, {
  error: `expected <name>@<k> such as ndcg@20, with name one of ${METRIC_NAMES.join(', ')}`,
});

/** The `evaluation` section of an experiment file: the last item of every session, over the whole catalogue. */
export const evaluationSchema = z.strictObject({
  metrics: z.array(metricLabel).min(1).default(['ndcg@20', 'hr@20', 'mrr@20']),
  /** Which half of the evaluated window: tune on `valid`, report `test`. */
  split: z.enum(['valid', 'test']).default('test'),
  /** Sessions scored at a time; changes no number. */
  batchSize: z.int().min(1).default(512),
});

export type EvaluationConfig = z.output<typeof evaluationSchema>;

function isMetricLabel(label: string): boolean {
  try {
    parseMetricAtK(label);
    return true;
  } catch {
    return false;
  }
}
