import { UNKNOWN_ID } from '@nimue/batch';
import {
  type EncodedSessions,
  encodeSessions,
  hideNewest,
  type ItemVocabulary,
  type Objective,
  packInferenceBatches,
  type Sessions,
} from '@nimue/data';
import type { MetricAtK } from '@nimue/metrics';
import type { NextItemModel } from '@nimue/models';

export interface EvaluateOptions {
  readonly metrics: readonly MetricAtK[];
  /** What the model was trained with: it decides what the model is shown. */
  readonly objective: Objective;
  /** Sessions scored at a time; changes no number. */
  readonly batchSize: number;
  /** Sessions are cut to this many visible events, newest kept; the model's own limit applies too. */
  readonly maxLength?: number;
  /** Columns of the sessions' events, made as they were for training. */
  readonly features?: EncodedSessions['features'];
  /** Called between batches: lets the process answer signals. */
  readonly breathe?: () => Promise<void>;
}

export interface Evaluation {
  /** Metric label → mean over the targets. */
  readonly metrics: Readonly<Record<string, number>>;
  /** 1-based rank of the last item of every session of two or more events, in the sessions' order. */
  readonly ranks: Int32Array;
  readonly numUnknownTargets: number;
}

/**
 * Ranks the last item of each session over the whole vocabulary with the items before it visible. Items that the model
 * does not know are left out of what it sees; a target that it does not know is a miss.
 *
 * @throws when no session has two events: an empty window has no metric
 */
export async function evaluate(
  model: NextItemModel,
  sessions: Sessions,
  vocabulary: ItemVocabulary,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const encoded = encodeSessions(sessions, vocabulary, { unknown: 'skip', features: options.features });
  const parts: Int32Array[] = [];
  let numUnknownTargets = 0;
  for (const batch of evaluationBatches(encoded, model, options)) {
    for (const id of batch.targets.itemIds) if (id === UNKNOWN_ID) numUnknownTargets++;
    parts.push(model.rankTargets(batch));
    await options.breathe?.();
  }
  const ranks = joinRanks(parts);
  if (ranks.length === 0) throw new Error('evaluate: no session has two events, so there is nothing to predict');
  return { metrics: meanMetrics(ranks, options.metrics), ranks, numUnknownTargets };
}

/** What the model is shown of whole sessions: the newest item hidden, and asked for. */
export function evaluationBatches(
  encoded: EncodedSessions,
  model: Pick<NextItemModel, 'maxLength'>,
  { batchSize, maxLength, objective }: Pick<EvaluateOptions, 'batchSize' | 'maxLength' | 'objective'>,
) {
  const { visible, targetIds } = hideNewest(encoded);
  return packInferenceBatches(visible, {
    batchSize,
    maxLength: visibleLength(model, maxLength),
    objective,
    targetIds,
  });
}

/** The tighter of the model's limit and the configured one; undefined when there is none. */
export function visibleLength(model: Pick<NextItemModel, 'maxLength'>, maxLength?: number): number | undefined {
  const limit = Math.min(model.maxLength ?? Number.POSITIVE_INFINITY, maxLength ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(limit) ? limit : undefined;
}

/** Metric label → mean over the ranks; divided by the number of targets. */
export function meanMetrics(ranks: Int32Array, metrics: readonly MetricAtK[]): Record<string, number> {
  return Object.fromEntries(
    metrics.map(({ label, compute }) => [label, compute(ranks).reduce((sum, value) => sum + value, 0) / ranks.length]),
  );
}

function joinRanks(parts: readonly Int32Array[]): Int32Array {
  const ranks = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    ranks.set(part, at);
    at += part.length;
  }
  return ranks;
}
