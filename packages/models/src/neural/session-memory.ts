import type { SessionBatch } from '@nimue/batch';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Rows one below the other, with room for more. */
interface Rows {
  values: Float32Array;
  readonly width: number;
  length: number;
}

/**
 * What a model keeps of one session, so that a new event costs one event and not the session again: keys and values of
 * causal attention, states of recurrent layers. It is asked with the whole session every time and finds out itself what is
 * new: a session that does not begin with the events kept (another one, or one whose oldest events were cut off) is computed
 * anew. It belongs to the model that filled it.
 *
 * @example
 * const model = models.sasrec.create(models.sasrec.configSchema.parse({}), { numRows: 9, seed: 1 });
 * const memory = new SessionMemory();
 * const ask = (session) => packSessions([session], { positions: [session.length - 1], itemIds: [3] });
 * model.recommend(ask([3, 4, 5]), 2, { memory }); // computes three events
 * model.recommend(ask([3, 4, 5, 8]), 2, { memory }); // computes one
 * memory.numSeen; // → 4
 */
export class SessionMemory {
  #events: Pick<SessionBatch, 'itemIds' | 'timestampsMs' | 'features'> = { itemIds: new Int32Array(0) };
  readonly #rows = new Map<string, Rows>();
  #numSeen = 0;

  /** Events whose states are kept. */
  get numSeen(): number {
    return this.#numSeen;
  }

  /**
   * Says which session is asked about; what is kept of another is forgotten.
   *
   * @throws when the batch is not one session of at least one event
   */
  begin(batch: SessionBatch): void {
    if (batch.offsets.length !== 2 || batch.itemIds.length === 0) {
      throw new Error(
        `SessionMemory: the batch has ${batch.offsets.length - 1} sessions and ${batch.itemIds.length} events; expected one session with events`,
      );
    }
    if (!beginsWith(batch, this.#events)) this.forget();
  }

  /** Keeps nothing any more. */
  forget(): void {
    this.#rows.clear();
    this.#numSeen = 0;
    this.#events = { itemIds: new Int32Array(0) };
  }

  /** All events of the session are kept now. */
  end({ itemIds, timestampsMs, features }: SessionBatch): void {
    this.#numSeen = itemIds.length;
    this.#events = {
      itemIds: itemIds.slice(),
      ...(timestampsMs && { timestampsMs: timestampsMs.slice() }),
      ...(features && { features: Object.fromEntries(Object.entries(features).map(([n, c]) => [n, c.slice()])) }),
    };
  }

  /** Adds rows [n, width] to those kept under a name. @returns all of them [L, width], oldest first */
  append(name: string, rows: Tensor2D): Tensor2D {
    const [count, width] = rows.shape;
    const kept = this.#rows.get(name) ?? { values: new Float32Array(8 * width), width, length: 0 };
    this.#rows.set(name, kept);
    const length = kept.length + count;
    if (length * width > kept.values.length) {
      const larger = new Float32Array(2 * length * width);
      larger.set(kept.values.subarray(0, kept.length * width));
      kept.values = larger;
    }
    kept.values.set(rows.dataSync() as Float32Array, kept.length * width);
    kept.length = length;
    return tf.tensor2d(kept.values.slice(0, length * width), [length, width]);
  }

  /** Keeps the last row [1, width] of some in place of what was kept under the name. */
  keepLast(name: string, rows: Tensor2D): void {
    const [count, width] = rows.shape;
    const values = (rows.dataSync() as Float32Array).slice((count - 1) * width);
    this.#rows.set(name, { values, width, length: 1 });
  }

  /** The row kept by `keepLast` [1, width]; undefined at the session's beginning. */
  last(name: string): Tensor2D | undefined {
    const kept = this.#rows.get(name);
    return kept && tf.tensor2d(kept.values.slice(0, kept.width), [1, kept.width]);
  }
}

/** Whether a session begins with the events that are kept. */
function beginsWith(
  { itemIds, timestampsMs, features = {} }: SessionBatch,
  kept: Pick<SessionBatch, 'itemIds' | 'timestampsMs' | 'features'>,
): boolean {
  const begins = (column: ArrayLike<number> | undefined, part: ArrayLike<number> | undefined) => {
    if (!column || !part) return !part || part.length === 0;
    if (column.length < part.length) return false;
    for (let i = 0; i < part.length; i++) if (!Object.is(column[i], part[i])) return false;
    return true;
  };
  return (
    begins(itemIds, kept.itemIds) &&
    begins(timestampsMs, kept.timestampsMs) &&
    Object.entries(kept.features ?? {}).every(([name, column]) => begins(features[name], column))
  );
}
