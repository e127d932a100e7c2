import { type NewItem, type Recommender, RequestError, type RequestSession } from '@nimue/recommender';
import { UnavailableError } from './unavailable-error.ts';

/**
 * The model that answers now, and how it is replaced by a newer one between two passes: what was added while the server runs
 * goes along.
 */
export class ServedModel {
  readonly #open: () => Recommender;
  readonly #limits: { readonly maxAddedItems: number; readonly maxUsers: number };
  readonly #added: NewItem[] = [];
  #recommender: Recommender | undefined;
  #generation = 0;

  /** @param open opens the newest model */
  constructor(open: () => Recommender, limits: { readonly maxAddedItems: number; readonly maxUsers: number }) {
    this.#open = open;
    this.#limits = limits;
  }

  /** How many models there have been. */
  get generation(): number {
    return this.#generation;
  }

  get isLoaded(): boolean {
    return this.#recommender !== undefined;
  }

  /** @throws UnavailableError before the first model is there */
  get recommender(): Recommender {
    if (!this.#recommender) throw new UnavailableError('the model is not loaded yet');
    return this.#recommender;
  }

  /**
   * Opens the newest model and puts it in the place of the one before.
   *
   * @returns items that were added while the server ran and that the new model can neither know nor take in
   * @throws when it cannot be opened; the one before goes on answering
   */
  load(): string[] {
    const next = this.#open();
    const lost = this.#added.flatMap((item) => {
      if (next.isKnown(item.item)) return [];
      try {
        next.addItems([item]);
        return [];
      } catch (error) {
        if (error instanceof RequestError) return [String(item.item)];
        next.dispose();
        throw error;
      }
    });
    const former = this.#recommender;
    former?.copyHistories(next);
    this.#recommender = next;
    this.#generation++;
    former?.dispose();
    return lost;
  }

  /** @throws RequestError as `Recommender.addItems` does, or when there would be too many */
  addItems(items: readonly NewItem[]): void {
    const { maxAddedItems } = this.#limits;
    if (this.#added.length + items.length > maxAddedItems) {
      throw new RequestError(`at most ${maxAddedItems} items can be added to a running server; train a new model`);
    }
    const stamped = items.map((item) => ({ ...item, timestampMs: item.timestampMs ?? Date.now() }));
    this.recommender.addItems(stamped);
    this.#added.push(...stamped);
  }

  /** @throws RequestError when there are too many users already */
  setHistory(user: string, history: RequestSession): void {
    const { recommender } = this;
    if (recommender.numUsers >= this.#limits.maxUsers && !recommender.hasHistory(user)) {
      throw new RequestError(`the histories of at most ${this.#limits.maxUsers} users are kept`);
    }
    recommender.setHistory(user, history);
  }

  dispose(): void {
    this.#recommender?.dispose();
    this.#recommender = undefined;
  }
}
