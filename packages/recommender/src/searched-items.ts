import { FIRST_ITEM_ID } from '@nimue/batch';
import type { NeuralModel } from '@nimue/models';
import { type ExcludedItems, gatherRows, topK } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { ItemSearch, ItemVectors } from './item-search.ts';
import type { RankedList } from './ranking.ts';
import type { Steps } from './steps.ts';

/** The items of a model behind an index: what it finds is scored as every item would be. Dispose it. */
export class SearchedItems {
  readonly #model: NeuralModel;
  readonly #index: ItemSearch;
  /** The output layer [V, D]; of some models it is computed, and kept here. */
  #table: Tensor2D;

  private constructor(model: NeuralModel, index: ItemSearch) {
    this.#model = model;
    this.#index = index;
    this.#table = copyOfTable(model);
  }

  static *build(model: NeuralModel, index: ItemSearch): Steps<SearchedItems> {
    const items = new SearchedItems(model, index);
    try {
      yield* index.build(items.#vectors());
      return items;
    } catch (error) {
      items.dispose();
      throw error;
    }
  }

  /** The model has got items from row `firstRow` on. */
  add(firstRow: number): void {
    this.#table.dispose();
    this.#table = copyOfTable(this.#model);
    this.#index.add(this.#vectors(), firstRow);
  }

  /** The k best items of those found for every state [N, D]; shorter where fewer were found. */
  best(hidden: Tensor2D, k: number, excluded: ExcludedItems | undefined): RankedList[] {
    const states = hidden.dataSync<'float32'>();
    const [numStates, width] = hidden.shape;
    const lists: RankedList[] = [];
    for (let n = 0; n < numStates; n++) {
      const banned = new Set(excluded?.itemIds.subarray(excluded.offsets[n], excluded.offsets[n + 1]));
      const found = this.#index.find(states.subarray(n * width, (n + 1) * width), k + banned.size);
      lists.push(
        this.#bestOf(
          found.filter((id) => id >= FIRST_ITEM_ID && !banned.has(id)),
          hidden,
          n,
          k,
        ),
      );
    }
    return lists;
  }

  dispose(): void {
    this.#index.dispose?.();
    this.#table.dispose();
  }

  #bestOf(ids: Int32Array, hidden: Tensor2D, n: number, k: number): RankedList {
    if (ids.length === 0) return [];
    // Behind the rows that are reserved in every table.
    const rows = new Int32Array(FIRST_ITEM_ID + ids.length);
    rows.set(ids, FIRST_ITEM_ID);
    const bias = this.#model.itemBias();
    const [state, table, ownBias] = tf.tidy(() => [
      tf.slice(hidden, [n, 0], [1, hidden.shape[1]]),
      gatherRows(this.#table, rows),
      ...(bias ? [tf.gather(bias, tf.tensor1d(rows, 'int32')) as Tensor1D] : []),
    ]) as [Tensor2D, Tensor2D, Tensor1D | undefined];
    try {
      const { itemIds, scores } = topK(state, table, Math.min(k, ids.length), { bias: ownBias });
      const list = Array.from(itemIds, (row, place) => ({ id: rows[row], score: scores[place] }));
      return list.sort((a, b) => b.score - a.score || a.id - b.id);
    } finally {
      tf.dispose([state, table, ...(ownBias ? [ownBias] : [])]);
    }
  }

  #vectors(): ItemVectors {
    const bias = this.#model.itemBias()?.dataSync<'float32'>();
    return { table: this.#table.dataSync<'float32'>(), width: this.#table.shape[1], ...(bias && { bias }) };
  }
}

function copyOfTable(model: NeuralModel): Tensor2D {
  return tf.tidy(() => model.itemTable().clone());
}
