import type { WindowedDataset } from '@nimue/data';
import type { CatalogueStatistics } from './catalogue-statistics.ts';
import type { SeenValues } from './seen-values.ts';

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
  /** Code of a text column's cell in the target's event; NaN where it is missing. */
  codeOf(column: string): number;
}

/** What slices may look at beside the target: what training has shown, and the log's texts. */
export interface SliceContext {
  readonly statistics: CatalogueStatistics;
  readonly seenValues: SeenValues;
  readonly texts: WindowedDataset['texts'];
  /** IANA name; default UTC. */
  readonly timeZone?: string;
}

/** A way to look at the targets in parts. */
export interface Slice {
  /** Parts in the order of a table; those without a target are left out. Absent: the largest parts, the others together. */
  readonly parts?: readonly string[];
  /** Looks at times: not for a log that has an order only. */
  readonly needsTimes?: true;
  /** Prepares for the targets of one window; the function gives the part's name. */
  prepare(context: SliceContext): (target: TargetFacts) => string;
}
