import type { SessionBatch } from '@nimue/batch';
import type { Sessions, WindowedDataset } from '@nimue/data';
import type { TaskHead } from '@nimue/losses';
import { predictionMetrics } from '@nimue/metrics';
import { headOutput, hiddenAtTargets, type NeuralModel } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import type { TargetLabels } from '../target-labels.ts';

/** The figures of one head over the targets that have a label. */
export interface HeadResult {
  readonly head: string;
  readonly kind: TaskHead['kind'];
  /** Targets with a label; without any there are no figures. */
  readonly numLabels: number;
  /** By the metric's name; one that is undefined on these labels, such as the AUC of a single class, is absent. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Asks the heads of a model what they say of every target, and compares it with the labels. */
export class HeadRecord {
  readonly #model: NeuralModel;
  readonly #labels: TargetLabels;
  readonly #texts: WindowedDataset['texts'];
  readonly #gathered: ReadonlyMap<string, { labels: number[]; predictions: number[] }>;

  constructor(model: NeuralModel, labels: TargetLabels, texts: WindowedDataset['texts']) {
    this.#model = model;
    this.#labels = labels;
    this.#texts = texts;
    this.#gathered = new Map(labels.heads.map(({ name }) => [name, { labels: [], predictions: [] }]));
  }

  /**
   * @param batch what the model was asked
   * @param asked the raw sessions of this block, target included
   * @param first number of the batch's first session within the block
   * @throws when an output is not finite
   */
  add(batch: SessionBatch, asked: Sessions, first: number): void {
    for (const head of this.#labels.heads) {
      const gathered = this.#gathered.get(head.name);
      const labels = this.#labels.labelsOf(head, asked, this.#texts);
      const outputs = this.#outputs(head, batch);
      outputs.forEach((output, n) => {
        if (!Number.isFinite(output)) {
          throw new Error(`${this.#model.name}: the head '${head.name}' says ${output}; training has diverged`);
        }
        const label = labels[asked.offsets[first + n + 1] - 1];
        if (Number.isNaN(label)) return;
        gathered?.labels.push(label);
        gathered?.predictions.push(this.#labels.meaningOf(head, output));
      });
    }
  }

  finish(): HeadResult[] {
    return this.#labels.heads.map(({ name, kind }) => {
      const { labels = [], predictions = [] } = this.#gathered.get(name) ?? {};
      const values = Object.entries(predictionMetrics[kind]).flatMap(([metric, compute]) => {
        const value = labels.length === 0 ? Number.NaN : compute(predictions, labels);
        return Number.isNaN(value) ? [] : [[metric, value] as const];
      });
      return { head: name, kind, numLabels: labels.length, metrics: Object.fromEntries(values) };
    });
  }

  #outputs({ name }: TaskHead, batch: SessionBatch): Float32Array {
    const model = this.#model;
    const output = tf.tidy(() =>
      headOutput(model.parameters, name, hiddenAtTargets(model, batch, { training: false })),
    );
    const values = output.dataSync() as Float32Array;
    output.dispose();
    return values;
  }
}
