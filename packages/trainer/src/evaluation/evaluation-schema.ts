import { keyOfColumn, type RawColumn } from '@nimue/data';
import { METRIC_NAMES, type MetricAtK, parseMetricAtK } from '@nimue/metrics';
import { z } from 'zod';
import { diversitySchema } from './item-distances.ts';
import { columnsOfSlices, sliceSchema } from './slice-config.ts';
import { targetEventsSchema } from './target-events.ts';
import { TIE_RULES } from './tie-rules.ts';

const metricLabel = z.string().refine(isMetricLabel, {
  error: `expected <name>@<k> such as ndcg@20, with name one of ${METRIC_NAMES.join(', ')}`,
});

const candidatesFileSchema = z.strictObject({
  file: z.string().min(1).describe('CSV, TSV or Parquet: the items that could be recommended.'),
  item: z.string().min(1).default('item_id').describe('Column of item ids.'),
  window: z.string().min(1).optional().describe('Column of window ids; without it the list holds for every window.'),
});

/** The `evaluation` section of an experiment file. As it stands: the last item of every session, over the whole catalogue. */
export const evaluationSchema = z
  .strictObject({
    metrics: z
      .array(metricLabel)
      .min(1)
      .default(['ndcg@20', 'hr@20', 'mrr@20'])
      .describe('Names with a length of list, such as ndcg@20; the first one compares models.'),
    split: z
      .enum(['valid', 'test'])
      .default('test')
      .describe('Which half of the evaluated window: tune on `valid`, report `test`.'),
    positions: z
      .enum(['last', 'every'])
      .default('last')
      .describe('Targets: the last item of a session, or every item but the first.'),
    targets: targetEventsSchema
      .optional()
      .describe(
        'Only events of some type are targets, such as purchases; what was visible before stays visible. Default: all events.',
      ),
    ties: z.enum(TIE_RULES).default('conservative').describe('Where a target stands among items of the same score.'),
    seenItems: z
      .enum(['keep', 'exclude'])
      .default('keep')
      .describe(
        'Whether items that the session has seen can be recommended; where they cannot, a target among them is a miss.',
      ),
    candidates: z
      .union(
        [
          z.enum(['known', 'lastTrained']),
          z.strictObject({
            lastWindows: z.int().min(1).describe('Train windows within which a candidate was clicked.'),
          }),
          candidatesFileSchema,
        ],
        {
          error: 'expected known, lastTrained, { lastWindows } or { file, item, window }',
        },
      )
      .default('known')
      .describe(
        'What can be recommended: every item known so far, those of the windows that were trained last, those that were clicked within the last train windows (`{ lastWindows: 7 }`: items that disappeared retire), or those of a file.',
      ),
    sampledNegatives: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Ranks every target among so many random items instead of the catalogue, as papers did until about 2020. The figures flatter and are labelled in every output.',
      ),
    alsoSampled: z
      .int()
      .min(1)
      .optional()
      .describe(
        "Ranks every target a second time, among so many random items: the figures of papers that did so, labelled as such, beside those of the catalogue. Validation goes by the catalogue's.",
      ),
    earlierWindows: z
      .union([z.int().min(1), z.literal('all')], { error: 'expected a whole number ≥ 1, or all' })
      .optional()
      .describe(
        'Forgetting: after each step the model is asked again about so many of the windows that it has learned last, or `all`.',
      ),
    diversity: diversitySchema
      .optional()
      .describe('By what items differ, for diversity@k: a text column of the log, or vectors of a file (1 − cosine).'),
    overlap: z
      .int()
      .min(1)
      .optional()
      .describe("Compares the models' lists of so many items with one another, in the last window."),
    slices: z.array(sliceSchema).default([]).describe('Tables of the same metrics over parts of the targets.'),
    batchSize: z.int().min(1).default(512).describe('Sessions scored at a time; changes no number.'),
  })
  .superRefine((config, context) => {
    const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const diverse = config.metrics.findIndex((label) => label.startsWith('diversity@'));
    if (diverse >= 0 && !config.diversity) {
      refuse(
        ['metrics', diverse],
        `${config.metrics[diverse]} needs diversity: { column } or { file }, which says by what items differ`,
      );
    }
    if (config.sampledNegatives === undefined) return;
    if (config.alsoSampled !== undefined) {
      refuse(
        ['alsoSampled'],
        'stands beside ranks over the catalogue, and sampledNegatives takes their place; leave one of them out',
      );
    }
    if (config.overlap !== undefined) {
      refuse(['overlap'], 'looks at whole lists, and sampledNegatives makes none; leave one of them out');
    }
    config.metrics.forEach((label, i) => {
      if (isMetricLabel(label) && parseMetricAtK(label).of === 'lists') {
        refuse(['metrics', i], `${label} looks at whole lists, and sampledNegatives makes none; leave one of them out`);
      }
    });
    if (config.candidates !== 'known')
      refuse(['candidates'], 'does not go with sampledNegatives; leave one of them out');
    if (config.seenItems !== 'keep') {
      refuse(['seenItems'], 'sampledNegatives never draws seen items; leave this line out');
    }
  });

export type EvaluationConfig = z.output<typeof evaluationSchema>;

/** The columns of the log that the evaluation looks at: what has to be carried along when it is prepared. */
export function columnsOfEvaluation({
  slices,
  targets,
  diversity,
}: Pick<EvaluationConfig, 'slices' | 'targets' | 'diversity'>): RawColumn[] {
  const texts = [targets, diversity].flatMap((part) => (part && 'column' in part ? [part.column] : []));
  const columns = [...columnsOfSlices(slices), ...texts.map((name) => ({ name, kind: 'text' as const }))];
  return [...new Map(columns.map((column) => [keyOfColumn(column), column])).values()];
}

/**
 * The metrics of a configuration, labelled as every output shows them: `ndcg@10 of 101 sampled`. Those of `alsoSampled` come
 * after all others.
 */
export function evaluatedMetrics(
  config: Pick<EvaluationConfig, 'sampledNegatives' | 'alsoSampled'> & { readonly metrics: readonly string[] },
): readonly MetricAtK[] {
  const { metrics, sampledNegatives, alsoSampled } = config;
  const whole = metrics.map(parseMetricAtK);
  if (sampledNegatives !== undefined) return sampledMetrics(whole, sampledNegatives);
  return [...whole, ...(alsoSampled === undefined ? [] : sampledMetrics(whole, alsoSampled))];
}

/** The metrics of ranks, labelled with what the ranks are among. */
export function sampledMetrics(metrics: readonly MetricAtK[], numNegatives: number): readonly MetricAtK[] {
  return metrics.flatMap((metric) =>
    metric.of === 'ranks' ? [{ ...metric, label: `${metric.label} of ${numNegatives + 1} sampled` }] : [],
  );
}

function isMetricLabel(label: string): boolean {
  try {
    parseMetricAtK(label);
    return true;
  } catch {
    return false;
  }
}
