/** A value of a column; null where it is missing. */
export type Cell = number | string | null;

/** A session to be continued. */
export interface RequestSession {
  /** Raw item ids, oldest first; none for someone of whom nothing is known. */
  readonly items: readonly (string | number)[];
  /** Milliseconds since 1970 UTC, one per item; models and features that look at times need them. */
  readonly timestampsMs?: readonly number[];
  /** Columns that features read, one value per item. */
  readonly columns?: Readonly<Record<string, readonly Cell[]>>;
  /** Columns that say the same of every event, such as the device or the country. */
  readonly context?: Readonly<Record<string, Cell>>;
}

/** What holds for every list of a request. */
export interface ListOptions {
  /** Items per list; lists are shorter where fewer can be recommended. Default 10. */
  readonly k?: number;
  /** Leaves out what the session has. Default false. */
  readonly filterSeen?: boolean;
  /** The only raw ids that can be recommended; unknown ones cannot. Default: all. */
  readonly candidates?: readonly (string | number)[];
  /** Raw ids that must not be recommended; unknown ones change nothing. */
  readonly exclude?: readonly (string | number)[];
  /**
   * What becomes of a session without an item that the model knows, and of an unknown user. `error`: the request is
   * refused. `warn` (default): the model answers to an unknown item, and the answer says so. `skip`: its list is empty.
   */
  readonly onUnsupported?: 'error' | 'warn' | 'skip';
  readonly withScores?: boolean;
}

export interface RecommendRequest extends ListOptions {
  readonly sessions?: readonly RequestSession[];
  /** Users whose histories the recommender was given (`setHistory`); they come after `sessions`. */
  readonly users?: readonly string[];
}

export interface RecommendedItem {
  readonly item: string;
  readonly title?: string;
  readonly score?: number;
}

export interface Recommendation {
  readonly items: readonly RecommendedItem[];
  /** Items of the session that the model does not know and was not shown. */
  readonly unknownItems: readonly string[];
  readonly warning?: string;
}

/** A request that cannot be answered as it is: the one who asks is at fault. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/** @throws RequestError when k is no whole number ≥ 1 */
export function assertListLength(k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new RequestError(`k is ${k}; expected a whole number ≥ 1`);
}
