import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import {
  type EncodedSessions,
  encodeSessions,
  hideNewest,
  type ItemVocabulary,
  type Objective,
  packInferenceBatches,
  type Sessions,
  type WindowedDataset,
} from '@nimue/data';
import type { ItemDistance, MetricAtK, RecommendedLists } from '@nimue/metrics';
import { type NeuralModel, type NextItemModel, rankAndRecommend } from '@nimue/models';
import { UNRANKED } from '@nimue/ops';
import type { TargetLabels } from '../target-labels.ts';
import { CatalogueStatistics } from './catalogue-statistics.ts';
import { EvaluationRecord } from './evaluation-record.ts';
import { HeadRecord, type HeadResult } from './head-record.ts';
import { questionBlocks } from './questions.ts';
import { type SampledNegatives, sampleNegatives } from './sampled-negatives.ts';
import { seenItems, seenTargets } from './seen-items.ts';
import { SeenValues } from './seen-values.ts';
import { type SliceConfig, sliceOf } from './slice-config.ts';
import { type TargetEvents, targetEventsOf } from './target-events.ts';
import type { TargetPlaces, TieRule } from './tie-rules.ts';
import { visibleLength } from './visible-length.ts';

export interface EvaluateOptions {
  readonly metrics: readonly MetricAtK[];
  /** What the model was trained with: it decides what the model is shown. */
  readonly objective: Objective;
  /** Sessions scored at a time; changes no number. */
  readonly batchSize: number;
  /** Sessions are cut to this many visible events, newest kept; the model's own limit applies too. */
  readonly maxLength?: number;
  /** Targets: the last item of each session (default), or every item but the first. */
  readonly positions?: 'last' | 'every';
  /** Only events of some type are asked for; `last` is then the last of them. Default: all events. */
  readonly targets?: TargetEvents;
  /** Default `conservative`. */
  readonly ties?: TieRule;
  /** Default `keep`. With `exclude` a target that the session has seen is a miss. */
  readonly seenItems?: 'keep' | 'exclude';
  /** The only items that can be recommended, ids rising; a target outside them is a miss. Default: all that are known. */
  readonly candidates?: Int32Array;
  /** Ranks among so many drawn items instead of the catalogue: only to repeat papers that did so. */
  readonly sampledNegatives?: SampledNegatives;
  readonly slices?: readonly SliceConfig[];
  /** Columns of the sessions' events, made as they were for training. */
  readonly featuresOf?: (sessions: Sessions) => EncodedSessions['features'];
  /** How different two items are; diversity needs it. */
  readonly distance?: ItemDistance;
  /** Keeps the first so many places of every list, to compare models by them. */
  readonly overlap?: number;
  /** What training has shown of the items; metrics of lists and slices by item need it. */
  readonly statistics?: CatalogueStatistics;
  /** Values of the log's columns that training has shown; slices `{ seen }` need it. */
  readonly seenValues?: SeenValues;
  /** What the codes of text columns stand for: `WindowedDataset.texts`. */
  readonly texts?: WindowedDataset['texts'];
  /** IANA name of the zone that hours are told in. Default UTC. */
  readonly timeZone?: string;
  /** Of the `random` tie rule. Default 1. */
  readonly seed?: number;
  /** What the heads of the model are compared with; it must have them. */
  readonly labels?: TargetLabels;
  /** Called between batches: lets the process answer signals. */
  readonly breathe?: () => Promise<void>;
}

/** The metrics of one part of the targets. */
export interface SliceResult {
  readonly slice: string;
  readonly part: string;
  readonly numTargets: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Evaluation {
  /** Metric label → mean over the targets, or the one number of all lists. */
  readonly metrics: Readonly<Record<string, number>>;
  /** 1-based rank of every target, in the sessions' order; with the tie rule `mean` the last place among its ties. */
  readonly ranks: Int32Array;
  /** Metric of ranks → value of every target [N]. */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** Targets that no train window has shown: misses. */
  readonly numUnknownTargets: number;
  /** Targets that cannot be recommended because the session has seen them, or because they are no candidates: misses. */
  readonly numExcludedTargets: number;
  readonly slices: readonly SliceResult[];
  /** Items that could be recommended, or that a target was ranked among. */
  readonly numRankedItems: number;
  /** What the model's other heads are worth, where it has some. */
  readonly heads?: readonly HeadResult[];
  /** What was recommended, where `overlap` asks for it. */
  readonly lists?: RecommendedLists;
}

/**
 * Ranks what came next in each session over the whole vocabulary with the items before it visible. Items that the model
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
  const { positions = 'last', metrics, slices = [], targets, texts = {}, timeZone } = options;
  const { statistics = new CatalogueStatistics(), seenValues = new SeenValues() } = options;
  const kinds = slices.map(sliceOf);
  const timeless = sessions.hasOnlyOrder && kinds.find(({ needsTimes }) => needsTimes);
  if (timeless) {
    throw new Error(
      `evaluation.slices: '${timeless.name}' looks at times, but the log has an order only; leave it out`,
    );
  }
  const { candidates, sampledNegatives, distance, overlap } = options;
  const numItems = sampledNegatives ? sampledNegatives.count + 1 : (candidates?.length ?? vocabulary.numItems);
  const context = { statistics, seenValues, texts, timeZone };
  const record = new EvaluationRecord({ metrics, slices: kinds, context, numItems, distance, overlap });
  const heads = options.labels && isNeural(model) ? new HeadRecord(model, options.labels, texts) : undefined;
  const questions = { positions, ...(targets && { isTarget: targetEventsOf(sessions, targets, texts) }) };
  for (const block of questionBlocks(sessions, questions, Math.max(4096, options.batchSize))) {
    const features = options.featuresOf?.(block);
    const encoded = encodeSessions(block, vocabulary, { unknown: 'skip', features });
    const { visible } = hideNewest(encoded);
    let first = 0;
    for (const batch of evaluationBatches(encoded, model, options)) {
      const end = first + batch.targets.itemIds.length;
      const answer = answerBatch(model, batch, visible, first, record.numTargets, record.listLength, options);
      record.add(answer, block, visible, first, batch.targets.itemIds);
      heads?.add(batch, block, first);
      first = end;
      await options.breathe?.();
    }
  }
  if (record.numTargets === 0) throw new Error(`evaluate: ${nothingToPredict(targets)}`);
  const evaluation = record.finish(options.ties ?? 'conservative', options.seed ?? 1);
  return heads ? { ...evaluation, heads: heads.finish() } : evaluation;
}

function isNeural(model: NextItemModel): model is NeuralModel {
  return 'kind' in model && model.kind === 'neural';
}

/** Why no question was found. */
export function nothingToPredict(targets: TargetEvents | undefined): string {
  if (!targets) return 'no session has two events, so there is nothing to predict';
  const values = targets.is.map((value) => `'${value}'`).join(' or ');
  return `no session has ${values} in column '${targets.column}' after its first event, so there is nothing to predict; choose longer windows or other targets`;
}

/** What a model answers to a batch of questions. */
export interface Answer extends TargetPlaces {
  /** The best items [N · listLength], where metrics of lists are asked for. */
  readonly listed?: Int32Array;
  /** 1 for targets that could not be recommended [N]. */
  readonly excludedTargets: Uint8Array;
}

function answerBatch(
  model: NextItemModel,
  batch: SessionBatch,
  visible: EncodedSessions,
  first: number,
  firstTarget: number,
  listLength: number,
  options: EvaluateOptions,
): Answer {
  const { ties = 'conservative', candidates, sampledNegatives } = options;
  const targetIds = batch.targets.itemIds;
  const end = first + targetIds.length;
  if (sampledNegatives) {
    const seen = seenItems(visible, first, end);
    const among = sampleNegatives(seen, targetIds, model.numRows, firstTarget, sampledNegatives);
    const excludedTargets = new Uint8Array(targetIds.length);
    return { ...placesOf((rule) => model.rankTargets(batch, { among, ties: rule }), ties), excludedTargets };
  }
  const excluded = options.seenItems === 'exclude' ? seenItems(visible, first, end) : undefined;
  const ranking = { excluded, candidates };
  const excludedTargets = excluded ? seenTargets(excluded, targetIds) : new Uint8Array(targetIds.length);
  if (candidates) {
    const isCandidate = new Uint8Array(model.numRows);
    for (const id of candidates) isCandidate[id] = 1;
    targetIds.forEach((id, n) => {
      if (id >= FIRST_ITEM_ID && !isCandidate[id]) excludedTargets[n] = 1;
    });
  }
  const isListed = listLength > 0;
  const best = isListed ? rankAndRecommend(model, batch, listLength, ranking) : undefined;
  const ranksBy = (rule: 'conservative' | 'optimistic') =>
    rule === 'conservative' && best ? best.ranks : model.rankTargets(batch, { ...ranking, ties: rule });
  const places = placesOf((rule) => missExcluded(ranksBy(rule), excludedTargets), ties);
  return { ...places, excludedTargets, ...(best && { listed: best.itemIds }) };
}

function placesOf(ranksBy: (rule: 'conservative' | 'optimistic') => Int32Array, ties: TieRule): TargetPlaces {
  if (ties === 'conservative' || ties === 'optimistic') return { last: ranksBy(ties) };
  return { last: ranksBy('conservative'), first: ranksBy('optimistic') };
}

function missExcluded(ranks: Int32Array, excludedTargets: Uint8Array): Int32Array {
  return ranks.map((rank, n) => (excludedTargets[n] ? UNRANKED : rank));
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
