import { FIRST_ITEM_ID } from '@nimue/batch';
import {
  encodeSessions,
  hideNewest,
  ItemVocabulary,
  type Objective,
  objectives,
  type PlainSession,
  packInferenceBatches,
  type Sessions,
} from '@nimue/data';
import { type Loss, losses } from '@nimue/losses';
import type { AnyModel, ModelSize } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import type { z } from 'zod';
import { type Evaluation, evaluate } from './evaluation/evaluate.ts';
import { type EvaluationConfig, evaluatedMetrics, evaluationSchema } from './evaluation/evaluation-schema.ts';
import { visibleLength } from './evaluation/visible-length.ts';
import { type FitStep, fitWindow } from './fit-window.ts';
import { addItemHistory, NO_HISTORY } from './item-history.ts';
import { Optimizer } from './optimizer.ts';
import * as optimizers from './optimizers.ts';
import { type TrainingConfig, trainingSchema } from './training-schema.ts';
import { WeightAverage } from './weight-average.ts';

/** A session as items alone, oldest first, or with the time of each. */
export type TrainerSession = Pick<PlainSession, 'items'> & Partial<Pick<PlainSession, 'timestampsMs'>>;

export interface TrainerOptions {
  /** Makes the model, when the first sessions are there. */
  readonly model: (size: ModelSize) => AnyModel;
  /** Default: cross-entropy over all items. */
  readonly loss?: Loss;
  /** Default: causal. Models that count are asked for the last item. */
  readonly objective?: Objective;
  /** The `training` section of an experiment file, as far as it differs from the defaults; one `fit` is one window. */
  readonly training?: z.input<typeof trainingSchema>;
  /** Seeds weights, order and every draw. Default 1. */
  readonly seed?: number;
  readonly onStep?: (step: FitStep) => void;
}

/**
 * Trains and asks one model with plain arrays of sessions, without a log, windows or files. `fit` again goes on from the
 * weights as the next window of an incremental run does: new items get rows, nothing else moves. Dispose it.
 *
 * @example
 * const model = (size) => models.popularity.create(models.popularity.configSchema.parse({}), size);
 * const trainer = new Trainer({ model });
 * await trainer.fit([{ items: ['a', 'b'] }, { items: ['c', 'b'] }]);
 * trainer.recommend(['a'], 1); // → ["b"]
 * trainer.dispose();
 */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #training: TrainingConfig;
  readonly #vocabulary = new ItemVocabulary();
  readonly #codes = new Map<string, number>();
  readonly #rawIds: string[] = [];
  readonly #optimizer: Optimizer;
  readonly #average: WeightAverage | undefined;
  #itemHistory = NO_HISTORY;
  #model: AnyModel | undefined;
  #numFits = 0;

  /** @throws when an option of `training` is wrong, or needs windows: early stopping, best epochs */
  constructor(options: TrainerOptions) {
    const training = trainingSchema.parse(options.training ?? {});
    if (training.earlyStopping || training.keepBest) {
      throw new Error(
        'Trainer: training.earlyStopping and keepBest look at the window that is evaluated next; use fitAndEvaluate',
      );
    }
    this.#options = options;
    this.#training = training;
    this.#optimizer = new Optimizer(optimizers[training.optimizer](training), training.weightDecayOn);
    this.#average = training.averageDecay === undefined ? undefined : new WeightAverage(training.averageDecay);
  }

  /** Number of items that can be recommended. */
  get numItems(): number {
    return this.#vocabulary.numItems;
  }

  /**
   * Learns from sessions.
   *
   * @returns mean loss per target of the last epoch; undefined for a model that counts
   * @throws DivergenceError when a loss is not finite or explodes
   */
  async fit(sessions: readonly TrainerSession[]): Promise<number | undefined> {
    const { loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})), seed = 1 } = this.#options;
    const plain = this.#sessionsOf(sessions, 'fit');
    this.#vocabulary.grow(plain);
    const numRows = this.#vocabulary.size;
    const encoded = encodeSessions(plain, this.#vocabulary, { unknown: 'skip' });
    this.#model?.resizeItems(numRows, { kind: 'random' });
    this.#model ??= this.#options.model({ numRows, seed });
    const model = this.#model;
    const fitSeed = deriveSeed(seed, this.#numFits++);
    if (model.kind === 'statistical') {
      model.fitWindow(encoded);
      return undefined;
    }
    const window = {
      async *encodedWindows() {
        yield encoded;
      },
    };
    this.#itemHistory = await addItemHistory(this.#itemHistory, window, numRows);
    if (!this.#training.carryOptimizer) this.#optimizer.restart();
    const { baseEpochs, epochs } = this.#training;
    return fitWindow({
      model,
      loss,
      objective: this.#objective(model),
      optimizer: this.#optimizer,
      average: this.#average,
      sessions: encoded,
      itemHistory: this.#itemHistory,
      config: { ...this.#training, epochs: this.#numFits === 1 ? (baseEpochs ?? epochs) : epochs },
      seed: fitSeed,
      window: `fit ${this.#numFits}`,
      onStep: this.#options.onStep,
    });
  }

  /**
   * Ranks the last item of every session over all known items, the ones before it visible; an item that no `fit` has seen
   * is a miss.
   *
   * @throws before the first `fit`, and when no session has two items
   */
  async evaluate(
    sessions: readonly TrainerSession[],
    options: Pick<z.input<typeof evaluationSchema>, 'metrics' | 'ties' | 'seenItems' | 'positions' | 'batchSize'> = {},
  ): Promise<Evaluation> {
    const model = this.#fitted();
    const { metrics, ties, seenItems, positions, batchSize }: EvaluationConfig = evaluationSchema.parse(options);
    const plain = this.#sessionsOf(sessions, 'evaluate');
    return this.#withAverage(model, () =>
      evaluate(model, plain, this.#vocabulary, {
        metrics: evaluatedMetrics({ metrics }),
        objective: this.#objective(model),
        maxLength: this.#training.maxLength,
        ties,
        seenItems,
        positions,
        batchSize,
      }),
    );
  }

  /** The k best next items after these, best first; fewer when fewer are known. @throws before the first `fit` */
  recommend(items: TrainerSession['items'], k: number): string[] {
    const model = this.#fitted();
    const known = items.length > 0 ? items : [''];
    // An item to be predicted is added and hidden again: what evaluation shows.
    const asked = this.#sessionsOf([{ items: [...known, ''] }], 'recommend');
    const { visible } = hideNewest(encodeSessions(asked, this.#vocabulary, { unknown: 'skip' }));
    const [batch] = packInferenceBatches(visible, {
      batchSize: 1,
      maxLength: visibleLength(model, this.#training.maxLength),
      objective: this.#objective(model),
    });
    if (model.kind === 'neural') this.#average?.swapIn(model.parameters);
    try {
      const { itemIds } = model.recommend(batch, Math.min(k, this.numItems));
      return [...itemIds].filter((id) => id >= FIRST_ITEM_ID).map((id) => this.#rawIds[this.#vocabulary.codeOf(id)]);
    } finally {
      if (model.kind === 'neural') this.#average?.swapOut(model.parameters);
    }
  }

  dispose(): void {
    this.#model?.dispose();
    this.#optimizer.dispose();
  }

  #objective(model: AnyModel): Objective {
    if (model.kind === 'statistical') return objectives.lastItem.create({});
    return this.#options.objective ?? objectives.causal.create({});
  }

  #fitted(): AnyModel {
    if (this.#model) return this.#model;
    throw new Error('Trainer: nothing has been learned yet; call fit first');
  }

  async #withAverage<T>(model: AnyModel, act: () => Promise<T>): Promise<T> {
    if (model.kind === 'neural') this.#average?.swapIn(model.parameters);
    try {
      return await act();
    } finally {
      if (model.kind === 'neural') this.#average?.swapOut(model.parameters);
    }
  }

  /** @throws when a session is empty or has another number of times than of items */
  #sessionsOf(sessions: readonly TrainerSession[], caller: string): Sessions {
    const hasTimes = sessions.some(({ timestampsMs }) => timestampsMs);
    const offsets = new Int32Array(sessions.length + 1);
    for (const [s, { items, timestampsMs }] of sessions.entries()) {
      if (items.length === 0) throw new Error(`Trainer.${caller}: session ${s} is empty; leave it out`);
      if (hasTimes && timestampsMs?.length !== items.length) {
        throw new Error(
          `Trainer.${caller}: session ${s} has ${items.length} items but ${timestampsMs?.length ?? 'no'} timestamps; give one per item, or none at all`,
        );
      }
      offsets[s + 1] = offsets[s] + items.length;
    }
    const itemCodes = Int32Array.from(sessions.flatMap(({ items }) => items.map((item) => this.#codeOf(String(item)))));
    const timestampsMs = Float64Array.from(
      sessions.flatMap((session) => session.timestampsMs ?? session.items.map((_, i) => i)),
    );
    return { itemCodes, offsets, timestampsMs, ...(!hasTimes && { hasOnlyOrder: true }) };
  }

  #codeOf(item: string): number {
    const code = this.#codes.get(item) ?? this.#rawIds.length;
    if (code === this.#rawIds.length) {
      this.#codes.set(item, code);
      this.#rawIds.push(item);
    }
    return code;
  }
}
