import type { CatalogueStatistics } from './catalogue-statistics.ts';

/** What is known of a target when slices are cut. */
export interface TargetFacts {
  /** Item id of the target; below the first item id when training never showed it. */
  readonly targetId: number;
  /** When it was clicked, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** Items before it, those that the model does not know included. */
  readonly numVisible: number;
  /** Those of them that the model knows. */
  readonly numKnownVisible: number;
}

/** A way to look at the targets in parts. */
export interface Slice {
  /** Parts in the order of a table. A part without a target is left out of results. */
  readonly parts: readonly string[];
  /** Looks at times: not for a log that has an order only. */
  readonly needsTimes?: true;
  /** Prepares for the targets of one window; the function gives the part's place in `parts`. */
  prepare(statistics: CatalogueStatistics): (target: TargetFacts) => number;
}
