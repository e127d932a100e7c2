import type { AnyModel, NeuralModel } from '@nimue/models';
import { topK } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { RankedList } from './ranking.ts';
import { RequestError } from './request.ts';

/** The output vectors of a model's items, and which of them point the same way. */
export class SimilarItems {
  readonly #model: AnyModel;
  /** Of length 1 [V, D]; made when first asked for. */
  #directions: Tensor2D | undefined;

  constructor(model: AnyModel) {
    this.#model = model;
  }

  /** The k items most like each of the given ones; never itself. @throws RequestError when the model counts */
  find(ids: readonly number[], k: number): RankedList[] {
    const model = this.#neural();
    if (ids.length === 0) return [];
    this.#directions ??= tf.tidy(() => {
      const table = model.itemTable();
      return tf.div(table, tf.maximum(tf.norm(table, 2, 1, true), 1e-30)) as Tensor2D;
    });
    const table = this.#directions;
    const rows = tf.tidy(() => tf.gather(table, tf.tensor1d([...ids], 'int32')));
    const excluded = {
      offsets: Int32Array.from({ length: ids.length + 1 }, (_, n) => n),
      itemIds: Int32Array.from(ids),
    };
    const top = topK(rows, table, k, { excluded });
    rows.dispose();
    return ids.map((_, n) => {
      const places = Array.from({ length: k }, (_, place) => n * k + place);
      return places
        .filter((place) => top.scores[place] !== Number.NEGATIVE_INFINITY)
        .map((place) => ({ id: top.itemIds[place], score: top.scores[place] }));
    });
  }

  /** The items have changed, or nothing will be asked any more. */
  forget(): void {
    this.#directions?.dispose();
    this.#directions = undefined;
  }

  #neural(): NeuralModel {
    const model = this.#model;
    if (model.kind === 'neural') return model;
    throw new RequestError(`${model.name}: a model that counts has no item vectors; ask for recommendations instead`);
  }
}
