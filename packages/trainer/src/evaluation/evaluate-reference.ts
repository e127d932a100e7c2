import { type Sessions, takeSessions, type WindowedDataset } from '@nimue/data';
import type { Reference } from '../run-rolling.ts';
import { nothingToPredict } from './evaluate.ts';
import { type EvaluationConfig, evaluatedMetrics } from './evaluation-schema.ts';
import { questionBlocks } from './questions.ts';
import { targetEventsOf } from './target-events.ts';
import { metricValues } from './tie-rules.ts';

/** What a reference's row can be filled with: metrics of ranks; it makes no lists. */
export interface ReferenceEvaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly values: Readonly<Record<string, Float64Array>>;
  readonly numTargets: number;
}

/**
 * Asks a reference what the models are asked.
 *
 * @throws when the evaluation ranks over less than the whole catalogue, which a reference does not do
 */
export function evaluateReference(
  reference: Reference,
  sessions: Sessions,
  config: EvaluationConfig,
  texts: WindowedDataset['texts'] = {},
): ReferenceEvaluation {
  assertWholeCatalogue(reference, config);
  const { positions, targets } = config;
  const questions = { positions, ...(targets && { isTarget: targetEventsOf(sessions, targets, texts) }) };
  const blocks = [...questionBlocks(sessions, questions, 4096)];
  const parts = blocks.map((block) => reference.rankSessions(longEnough(block)));
  const last = Int32Array.from(parts.flatMap((part) => [...part]));
  if (last.length === 0) throw new Error(`${reference.label}: ${nothingToPredict(targets)}`);
  const values = Object.fromEntries(
    evaluatedMetrics({ ...config, alsoSampled: undefined }).flatMap((metric) =>
      metric.of === 'ranks' ? [[metric.label, metricValues(metric, { last })] as const] : [],
    ),
  );
  const metrics = Object.fromEntries(
    Object.entries(values).map(([label, all]) => [label, all.reduce((sum, value) => sum + value, 0) / all.length]),
  );
  return { metrics, values, numTargets: last.length };
}

function longEnough(sessions: Sessions): Sessions {
  const numSessions = sessions.offsets.length - 1;
  const long = Array.from({ length: numSessions }, (_, s) => s).filter(
    (s) => sessions.offsets[s + 1] - sessions.offsets[s] >= 2,
  );
  return long.length === numSessions ? sessions : takeSessions(sessions, long);
}

/** What of a configuration ranks over less than the whole catalogue, as `key: value`. */
export function narrowsCatalogue({
  seenItems,
  candidates,
  sampledNegatives,
}: Pick<EvaluationConfig, 'seenItems' | 'candidates' | 'sampledNegatives'>): readonly string[] {
  return [
    ...(seenItems === 'keep' ? [] : [`seenItems: ${seenItems}`]),
    ...(candidates === 'known' ? [] : [`candidates: ${describe(candidates)}`]),
    ...(sampledNegatives === undefined ? [] : [`sampledNegatives: ${sampledNegatives}`]),
  ];
}

function assertWholeCatalogue({ label }: Reference, config: EvaluationConfig): void {
  const limits = narrowsCatalogue(config);
  if (limits.length === 0) return;
  throw new Error(
    `the reference '${label}' ranks over the whole catalogue, so its row could not be compared with evaluation.${limits.join(' and ')}; ` +
      'leave that out, or the reference',
  );
}

function describe(candidates: EvaluationConfig['candidates']): string {
  if (typeof candidates === 'string') return candidates;
  return 'file' in candidates ? candidates.file : `{ lastWindows: ${candidates.lastWindows} }`;
}
