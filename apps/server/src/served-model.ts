import { type NewItem, type Recommender, RequestError, type RequestSession } from '@nimue/recommender';
import { UnavailableError } from './unavailable-error.ts';

/**
 * The model that answers now, and how it is replaced by a newer one between two passes: what was added while the server runs
 * goes along.
 */
export class ServedModel {
  readonly #open: () => Recommender | Promise<Recommender>;
  readonly #limits: { readonly maxAddedItems: number; readonly maxUsers: number };
  readonly #added: NewItem[] = [];
  #recommender: Recommender | undefined;
  #generation = 0;
  #loading: Promise<string[]> | undefined;
  #next: Promise<string[]> | undefined;
  #isDisposed = false;

  /** @param open opens the newest model, such as by `Recommender.loadAside`, which lets requests be answered meanwhile */
  constructor(
    open: () => Recommender | Promise<Recommender>,
    limits: { readonly maxAddedItems: number; readonly maxUsers: number },
  ) {
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
   * Opens the newest model, asks it once, and puts it in the place of the one before, which answers until then. While one is
   * being opened, another call opens the newest anew after it.
   *
   * @returns items that were added while the server ran and that the new model can neither know nor take in
   * @throws when it cannot be opened or does not answer; the one before goes on answering
   */
  load(): Promise<string[]> {
    if (!this.#loading) {
      this.#loading = this.#replace().finally(() => {
        this.#loading = undefined;
      });
      return this.#loading;
    }
    this.#next ??= this.#loading
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.load();
      });
    return this.#next;
  }

  async #replace(): Promise<string[]> {
    const next = await this.#open();
    try {
      if (this.#isDisposed) throw new UnavailableError('the server is about to stop');
      askOnce(next);
      const lost = this.#addAgain(next);
      const former = this.#recommender;
      former?.handHistories(next);
      this.#recommender = next;
      this.#generation++;
      former?.dispose();
      return lost;
    } catch (error) {
      next.dispose();
      throw error;
    }
  }

  /** @returns items that the model cannot take in */
  #addAgain(next: Recommender): string[] {
    const missing = this.#added.filter(({ item }) => !next.isKnown(item));
    const refused = (items: readonly NewItem[]): boolean => {
      try {
        next.addItems(items);
        return false;
      } catch (error) {
        if (error instanceof RequestError) return true;
        throw error;
      }
    };
    if (!refused(missing)) return [];
    return missing.filter((item) => refused([item])).map(({ item }) => String(item));
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
    this.#isDisposed = true;
    this.#recommender?.dispose();
    this.#recommender = undefined;
  }
}

/** The first answer of a model takes longer than the others, and tells whether there will be any. @throws when it has none */
function askOnce(recommender: Recommender): void {
  const items = recommender.items.slice(0, 1);
  try {
    recommender.recommend({ sessions: [{ items, timestampsMs: items.map(() => 0) }], k: 1 });
  } catch (error) {
    // Of a column that must not be missing.
    if (!(error instanceof RequestError)) throw error;
  }
}
