import { FIRST_ITEM_ID, UNKNOWN_ID } from '@nimue/batch';
import type { Sessions } from '../dataset/sessions.ts';

/** What `ItemVocabulary.toJSON` gives. */
export interface ItemVocabularyJson {
  readonly itemCodes: readonly number[];
}

/**
 * Raw item codes → dense ids, the row numbers of a model's item table. Ids 0 … FIRST_ITEM_ID - 1 are reserved. It is
 * fitted on train windows only and grows from window to window: an id, once given, never changes.
 *
 * @example
 * const vocabulary = new ItemVocabulary();
 * vocabulary.grow({ itemCodes: Int32Array.of(9, 4, 9) }); // Int32Array [3, 4]
 * vocabulary.encode(Int32Array.of(4, 7));                 // Int32Array [4, 1]; 7 is unknown
 * vocabulary.size;                                        // 5 rows, the three reserved ones included
 */
export class ItemVocabulary {
  #idOfCode = new Int32Array(1024);
  readonly #codes: number[] = [];

  /** Rows of the item table: reserved ids plus known items. */
  get size(): number {
    return FIRST_ITEM_ID + this.#codes.length;
  }

  /** Number of known items. */
  get numItems(): number {
    return this.#codes.length;
  }

  /**
   * Adds the items that are not known yet.
   *
   * @param sessions of a train window, never of the window to be evaluated
   * @returns the new ids in first-seen order; they continue where the old ones end
   * @throws when a code is not a whole number ≥ 0
   */
  grow(sessions: Pick<Sessions, 'itemCodes'>): Int32Array {
    const firstNew = this.size;
    for (const code of sessions.itemCodes) this.#add(code);
    const added = new Int32Array(this.size - firstNew);
    for (let i = 0; i < added.length; i++) added[i] = firstNew + i;
    return added;
  }

  /** Dense ids of the same length; `UNKNOWN_ID` for every item that is not known. */
  encode(itemCodes: Int32Array): Int32Array {
    const ids = new Int32Array(itemCodes.length);
    const table = this.#idOfCode;
    for (let i = 0; i < ids.length; i++) {
      const code = itemCodes[i];
      ids[i] = (code < table.length ? table[code] : 0) || UNKNOWN_ID;
    }
    return ids;
  }

  /** The dense id of an item code, `UNKNOWN_ID` when it is not known. */
  idOf(code: number): number {
    return this.#idOfCode[code] || UNKNOWN_ID;
  }

  /**
   * The raw item code behind a dense id.
   *
   * @throws when the id is reserved or was never given
   */
  codeOf(id: number): number {
    const code = this.#codes[id - FIRST_ITEM_ID];
    if (code === undefined) {
      throw new Error(
        `ItemVocabulary.codeOf: no item has id ${id}; items have ids ${FIRST_ITEM_ID} … ${this.size - 1}`,
      );
    }
    return code;
  }

  /** An independent copy: growing it leaves this one as it is. */
  clone(): ItemVocabulary {
    return ItemVocabulary.fromJSON(this.toJSON());
  }

  toJSON(): ItemVocabularyJson {
    return { itemCodes: [...this.#codes] };
  }

  /** @throws when a code occurs twice */
  static fromJSON(json: ItemVocabularyJson): ItemVocabulary {
    const vocabulary = new ItemVocabulary();
    for (const code of json.itemCodes) vocabulary.#add(code);
    if (vocabulary.numItems !== json.itemCodes.length) {
      throw new Error(
        `ItemVocabulary.fromJSON: ${json.itemCodes.length} codes but only ${vocabulary.numItems} different ones; the file is damaged`,
      );
    }
    return vocabulary;
  }

  #add(code: number): void {
    if (!Number.isInteger(code) || code < 0) {
      throw new Error(`ItemVocabulary: expected a whole item code ≥ 0, got ${code}`);
    }
    if (code >= this.#idOfCode.length) {
      const larger = new Int32Array(Math.max(code + 1, this.#idOfCode.length * 2));
      larger.set(this.#idOfCode);
      this.#idOfCode = larger;
    }
    if (this.#idOfCode[code] !== 0) return;
    this.#idOfCode[code] = this.size;
    this.#codes.push(code);
  }
}
