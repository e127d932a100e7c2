import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Steps } from './steps.ts';

const ITEMS_PER_STEP = 10_000;

/** The items that a model knows: raw ids, dense ids (rows of its item table) and titles. It can grow. */
export class Catalogue {
  readonly #rawIds: string[];
  readonly #idOf: Map<string, number>;
  readonly #titles: Map<string, string>;

  private constructor(titles: Readonly<Record<string, string>>) {
    this.#rawIds = [];
    this.#idOf = new Map();
    this.#titles = new Map(Object.entries(titles));
  }

  /** @param rawIds in the order of their dense ids, the first of which is FIRST_ITEM_ID */
  static *create(rawIds: readonly string[], titles: Readonly<Record<string, string>> = {}): Steps<Catalogue> {
    const catalogue = new Catalogue(titles);
    for (const [i, item] of rawIds.entries()) {
      catalogue.add(item);
      if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
    }
    return catalogue;
  }

  get numItems(): number {
    return this.#rawIds.length;
  }

  get rawIds(): readonly string[] {
    return this.#rawIds;
  }

  get titles(): ReadonlyMap<string, string> {
    return this.#titles;
  }

  /** The dense id; undefined for an item that is not known. */
  idOf(item: string | number): number | undefined {
    return this.#idOf.get(String(item));
  }

  rawIdOf(id: number): string {
    return this.#rawIds[id - FIRST_ITEM_ID];
  }

  /** Dense ids of those that are known, each once and rising. */
  knownIds(items: readonly (string | number)[]): Int32Array {
    return Int32Array.from(new Set(items.flatMap((item) => this.idOf(item) ?? []))).sort();
  }

  add(item: string, title?: string): void {
    this.#idOf.set(item, FIRST_ITEM_ID + this.#rawIds.length);
    this.#rawIds.push(item);
    if (title !== undefined) this.#titles.set(item, title);
  }
}
