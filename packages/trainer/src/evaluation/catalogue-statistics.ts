import { FIRST_ITEM_ID } from '@nimue/batch';

/** What training has shown of every item, by item id; fitted on train windows only. */
export class CatalogueStatistics {
  #clicks = new Float64Array(FIRST_ITEM_ID);
  #firstSeenMs = new Float64Array(FIRST_ITEM_ID);
  #inLastTraining = new Uint8Array(FIRST_ITEM_ID);
  #isNewStep = false;

  /** Clicks in all train windows so far [V]. */
  get clicks(): Float64Array {
    return this.#clicks;
  }

  /** When an item was clicked first, milliseconds since 1970 UTC [V]; Infinity for one that never was, and in a log without times. */
  get firstSeenMs(): Float64Array {
    return this.#firstSeenMs;
  }

  /** Makes room for all items that the model knows; what is added from now on is what was trained last. */
  startStep(numRows: number): void {
    this.#grow(numRows);
    this.#isNewStep = true;
  }

  /** Takes in one train window of the step. Without a click nothing changes, also not what was trained last. */
  add({ itemIds, timestampsMs }: { readonly itemIds: Int32Array; readonly timestampsMs?: Float64Array }): void {
    if (itemIds.length === 0) return;
    if (this.#isNewStep) this.#inLastTraining.fill(0);
    this.#isNewStep = false;
    itemIds.forEach((id, event) => {
      if (id < FIRST_ITEM_ID) return;
      this.#clicks[id]++;
      if (timestampsMs) this.#firstSeenMs[id] = Math.min(this.#firstSeenMs[id], timestampsMs[event]);
      this.#inLastTraining[id] = 1;
    });
  }

  /** The items of the last windows that were trained on, ids rising. */
  lastTrained(): Int32Array {
    return Int32Array.from([...this.#inLastTraining.keys()].filter((id) => this.#inLastTraining[id] === 1));
  }

  #grow(numRows: number): void {
    const from = this.#clicks.length;
    if (numRows <= from) return;
    const grown = <Column extends Float64Array | Uint8Array>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#clicks = grown(this.#clicks, new Float64Array(numRows));
    this.#firstSeenMs = grown(this.#firstSeenMs, new Float64Array(numRows).fill(Number.POSITIVE_INFINITY));
    this.#inLastTraining = grown(this.#inLastTraining, new Uint8Array(numRows));
  }
}
