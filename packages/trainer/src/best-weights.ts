import { LOSS } from './early-stopping.ts';
import type { Snapshot } from './snapshot.ts';

/** A window's best moment by one metric. */
export interface Best {
  readonly value: number;
  /** 1-based; the first of equal ones. */
  readonly epoch: number;
  readonly snapshot: Snapshot;
}

/** The best moments of a window, one for every metric that is watched. */
export class BestWeights {
  readonly #best = new Map<string, Best>();

  /** Takes the moment when it is better than all before. @returns whether it is */
  offer(metric: string, value: number, epoch: number, take: () => Snapshot): boolean {
    const known = this.#best.get(metric)?.value;
    const isBetter = known === undefined || (metric === LOSS ? value < known : value > known);
    if (isBetter) this.#best.set(metric, { value, epoch, snapshot: take() });
    return isBetter;
  }

  get(metric: string): Best | undefined {
    return this.#best.get(metric);
  }

  entries(): ReadonlyMap<string, Best> {
    return new Map(this.#best);
  }

  /** Goes on from what `entries` gave. */
  write(best: ReadonlyMap<string, Best>): void {
    this.clear();
    for (const [metric, own] of best) this.#best.set(metric, own);
  }

  clear(): void {
    this.#best.clear();
  }
}
