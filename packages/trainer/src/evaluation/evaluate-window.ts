import { FIRST_ITEM_ID } from '@nimue/batch';
import {
  type Candidates,
  type FeaturePipeline,
  type ItemVocabulary,
  type Objective,
  readCandidates,
  type Sessions,
  type WindowedDataset,
} from '@nimue/data';
import { parseMetricAtK } from '@nimue/metrics';
import type { NextItemModel } from '@nimue/models';
import { deriveSeed, NonFiniteScoreError } from '@nimue/ops';
import type { TargetLabels } from '../target-labels.ts';
import type { TrainSessions } from '../train-sessions.ts';
import { CatalogueStatistics } from './catalogue-statistics.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { type EvaluationConfig, evaluatedMetrics, sampledMetrics } from './evaluation-schema.ts';
import { ItemDistances } from './item-distances.ts';
import { SeenValues } from './seen-values.ts';
import { watchedColumns } from './slice-config.ts';

/** What an evaluation draws is the same for every model and seed: they are compared on the same questions. */
const EVALUATION_SEED = 1;

export interface EvaluateWindowArgs {
  readonly model: NextItemModel;
  /** Of the model, for messages; its name when not given. */
  readonly label?: string;
  readonly vocabulary: ItemVocabulary;
  readonly objective: Objective;
  readonly maxLength?: number;
  readonly pipeline?: FeaturePipeline;
  /** Of the model's heads beside the ranking. */
  readonly labels?: TargetLabels;
  /** Number of the window in the data set. */
  readonly window: number;
  /** In place of what the configuration says; figures of the rest stay. */
  readonly only?: Partial<Pick<EvaluationConfig, 'split' | 'slices'>> & { readonly metrics?: readonly string[] };
  readonly breathe?: () => Promise<void>;
}

/** Evaluates a model after each step of a plan, with what the steps so far have shown of items and users. */
export class WindowEvaluator {
  readonly #dataset: WindowedDataset;
  readonly #config: EvaluationConfig;
  readonly #timeZone?: string;
  #statistics = new CatalogueStatistics();
  #seenValues: SeenValues;
  #distances?: ItemDistances;
  #candidates?: Candidates;

  constructor(dataset: WindowedDataset, config: EvaluationConfig, timeZone?: string) {
    this.#dataset = dataset;
    this.#config = config;
    this.#timeZone = timeZone;
    this.#seenValues = new SeenValues(watchedColumns(config.slices));
    this.#distances = config.diversity && new ItemDistances(config.diversity);
  }

  /** Forgets what training has shown: a model starts from scratch. */
  restart(): void {
    this.#statistics = new CatalogueStatistics();
    this.#seenValues = new SeenValues(watchedColumns(this.#config.slices));
    this.#distances = this.#config.diversity && new ItemDistances(this.#config.diversity);
  }

  /** Takes in what a step trains on, as far as the configuration asks for it. */
  async addStep(
    train: Pick<TrainSessions, 'encodedWindows'>,
    trainWindows: readonly number[],
    vocabulary: ItemVocabulary,
  ): Promise<void> {
    if (this.#needsStatistics()) {
      this.#statistics.startStep(vocabulary.size);
      for await (const window of train.encodedWindows()) this.#statistics.add(window);
    }
    if (this.#seenValues.isEmpty && !this.#distances) return;
    for (const window of trainWindows) {
      const sessions = await this.#dataset.read(window, 'train');
      this.#seenValues.add(sessions);
      this.#distances?.add(sessions, vocabulary);
    }
  }

  /** @throws when nothing can be asked for in the window, or it has no candidates */
  async evaluate(args: EvaluateWindowArgs): Promise<Evaluation> {
    const { model, label: _label, vocabulary, pipeline, window, only = {}, ...rest } = args;
    const config = {
      ...this.#config,
      ...(only.metrics && { slices: [], overlap: undefined, alsoSampled: undefined }),
      ...only,
    };
    const { sampledNegatives, alsoSampled, candidates: _, diversity: _diversity, split, ...rules } = config;
    const sessions = await this.#dataset.read(window, split);
    const seed = deriveSeed(EVALUATION_SEED, window);
    const candidates = await this.#candidatesOf(window, vocabulary);
    const options = {
      ...rules,
      ...rest,
      metrics: evaluatedMetrics({ ...config, alsoSampled: undefined }),
      ...(candidates && { candidates }),
      ...(sampledNegatives !== undefined && { sampledNegatives: { count: sampledNegatives, seed } }),
      featuresOf: pipeline && ((asked: Sessions) => pipeline.transform(asked, this.#dataset)),
      statistics: this.#statistics,
      distance: await this.#distances?.distance(vocabulary, this.#dataset),
      seenValues: this.#seenValues,
      texts: this.#dataset.texts,
      timeZone: this.#timeZone,
      seed,
    };
    const evaluateAll = async (): Promise<Evaluation> => {
      const whole = await evaluate(model, sessions, vocabulary, options);
      if (alsoSampled === undefined) return whole;
      const { candidates: _candidates, overlap: _overlap, labels: _labels, ...same } = options;
      const sampled = await evaluate(model, sessions, vocabulary, {
        ...same,
        slices: [],
        seenItems: 'keep',
        metrics: sampledMetrics(options.metrics, alsoSampled),
        sampledNegatives: { count: alsoSampled, seed },
      });
      return {
        ...whole,
        metrics: { ...whole.metrics, ...sampled.metrics },
        values: { ...whole.values, ...sampled.values },
      };
    };
    return evaluateAll().catch((error) => {
      if (!(error instanceof NonFiniteScoreError)) throw error;
      const { itemId, score = 'NaN or infinite' } = error;
      const item = itemId === undefined ? 'an item' : `item '${this.#dataset.rawItemId(vocabulary.codeOf(itemId))}'`;
      throw new Error(
        `${args.label ?? model.name}: the score of ${item} is ${score} in window ${this.#dataset.windows[window].id}, which has no place in a ranking; ` +
          'the model has diverged (lower training.learningRate or set training.clipNorm)',
        { cause: error },
      );
    });
  }

  /** Metrics of lists, slices and candidates ask what training has shown of the items. */
  #needsStatistics(): boolean {
    const { metrics, slices, candidates } = this.#config;
    return (
      candidates === 'lastTrained' ||
      (typeof candidates === 'object' && 'lastWindows' in candidates) ||
      slices.length > 0 ||
      metrics.some((label) => parseMetricAtK(label).of === 'lists')
    );
  }

  /** Item ids, rising; undefined when every known item can be recommended. */
  async #candidatesOf(window: number, vocabulary: ItemVocabulary): Promise<Int32Array | undefined> {
    const { candidates } = this.#config;
    if (candidates === 'known') return undefined;
    if (candidates === 'lastTrained') return this.#statistics.lastTrained();
    if ('lastWindows' in candidates) return this.#statistics.clickedInLast(candidates.lastWindows);
    this.#candidates ??= await readCandidates(candidates);
    const { id } = this.#dataset.windows[window];
    const rawIds = this.#candidates.of(id);
    const ids = rawIds
      .map((rawId) => vocabulary.idOf(this.#dataset.itemCode(rawId) ?? -1))
      .filter((itemId) => itemId >= FIRST_ITEM_ID);
    if (ids.length > 0) return Int32Array.from(ids).sort();
    throw new Error(
      `${candidates.file}: none of the ${rawIds.length} candidates of window '${id}' occurs in training, such as '${rawIds[0]}'; check that they are ids of the log's item column`,
    );
  }
}
