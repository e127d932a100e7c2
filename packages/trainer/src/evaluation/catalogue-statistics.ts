import { FIRST_ITEM_ID } from '@nimue/batch';

/** What training has shown of every item, by item id; fitted on train windows only. */
export class CatalogueStatistics {
  #clicks = new Float64Array(FIRST_ITEM_ID);
  #firstSeenMs = new Float64Array(FIRST_ITEM_ID);
  /** Number of the train window in which an item was clicked last, from 1; 0 for never. */
  #lastWindow = new Int32Array(FIRST_ITEM_ID);
  #numWindows = 0;
  #firstOfStep = 1;
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
    this.#numWindows++;
    if (this.#isNewStep) this.#firstOfStep = this.#numWindows;
    this.#isNewStep = false;
    itemIds.forEach((id, event) => {
      if (id < FIRST_ITEM_ID) return;
      this.#clicks[id]++;
      if (timestampsMs) this.#firstSeenMs[id] = Math.min(this.#firstSeenMs[id], timestampsMs[event]);
      this.#lastWindow[id] = this.#numWindows;
    });
  }

  /** The items of the windows of the last step that trained, ids rising. */
  lastTrained(): Int32Array {
    return this.#clickedSince(this.#firstOfStep);
  }

  /** The items of the last `numWindows` train windows with clicks, ids rising: the others have retired. */
  clickedInLast(numWindows: number): Int32Array {
    return this.#clickedSince(this.#numWindows - numWindows + 1);
  }

  #clickedSince(window: number): Int32Array {
    const first = Math.max(1, window);
    return Int32Array.from([...this.#lastWindow.keys()].filter((id) => this.#lastWindow[id] >= first));
  }

  #grow(numRows: number): void {
    const from = this.#clicks.length;
    if (numRows <= from) return;
    const grown = <Column extends Float64Array | Int32Array>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#clicks = grown(this.#clicks, new Float64Array(numRows));
    this.#firstSeenMs = grown(this.#firstSeenMs, new Float64Array(numRows).fill(Number.POSITIVE_INFINITY));
    this.#lastWindow = grown(this.#lastWindow, new Int32Array(numRows));
  }
}
