import { FIRST_ITEM_ID } from '@nimue/batch';
import type { ItemVocabulary } from '../vocabulary/item-vocabulary.ts';

/** What becomes of an item without a vector. */
export type MissingVector = 'zeros' | 'mean' | 'error';

/** Vectors by raw item id, such as pretrained text or image embeddings. */
export class ItemVectors {
  /** Width of every vector. */
  readonly size: number;
  readonly #rowOf: ReadonlyMap<string, number>;
  readonly #values: Float32Array;

  /**
   * @param values vectors one after another [itemIds · size]
   * @throws when an item comes twice, a number is not finite, or the lengths do not fit
   */
  constructor(itemIds: readonly string[], values: Float32Array, where: string) {
    this.size = itemIds.length === 0 ? 0 : values.length / itemIds.length;
    this.#values = values;
    this.#rowOf = new Map(itemIds.map((id, row) => [id, row]));
    if (itemIds.length === 0 || !Number.isInteger(this.size) || this.size === 0) {
      throw new Error(`${where}: ${itemIds.length} items and ${values.length} numbers; expected vectors of one width`);
    }
    if (this.#rowOf.size < itemIds.length) {
      const twice = itemIds.find((id, row) => this.#rowOf.get(id) !== row);
      throw new Error(`${where}: item '${twice}' has more than one vector`);
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new Error(
        `${where}: item '${itemIds[Math.floor(bad / this.size)]}' has a vector with ${values[bad]} in it`,
      );
    }
  }

  /** The items that have a vector. */
  get itemIds(): string[] {
    return [...this.#rowOf.keys()];
  }

  /** A view of the item's vector; undefined when it has none. */
  get(itemId: string): Float32Array | undefined {
    const row = this.#rowOf.get(itemId);
    return row === undefined ? undefined : this.#values.subarray(row * this.size, (row + 1) * this.size);
  }

  /** Mean of all vectors. */
  mean(): Float32Array {
    const sums = new Float64Array(this.size);
    for (let i = 0; i < this.#values.length; i++) sums[i % this.size] += this.#values[i];
    return Float32Array.from(sums, (sum) => sum / this.#rowOf.size);
  }

  /** @throws when the item has no vector and the rule says so */
  getOr(itemId: string, missing: MissingVector, mean: Float32Array): Float32Array {
    const vector = this.get(itemId);
    if (vector) return vector;
    if (missing === 'error') throw new Error(`item '${itemId}' has no pretrained vector; set missing to zeros or mean`);
    return missing === 'mean' ? mean : new Float32Array(this.size);
  }

  /**
   * The vectors as rows of a model's item table [rows × size]; the reserved rows are zeros.
   *
   * @throws when an item has no vector and the rule says so
   */
  tableFor(
    vocabulary: Pick<ItemVocabulary, 'size' | 'codeOf'>,
    rawItemId: (code: number) => string,
    missing: MissingVector = 'zeros',
  ): Float32Array {
    const table = new Float32Array(vocabulary.size * this.size);
    const mean = this.mean();
    for (let id = FIRST_ITEM_ID; id < vocabulary.size; id++) {
      table.set(this.getOr(rawItemId(vocabulary.codeOf(id)), missing, mean), id * this.size);
    }
    return table;
  }
}
