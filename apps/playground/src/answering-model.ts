/** An item of a list. */
export interface Suggestion {
  readonly item: string;
  readonly score: number;
}

/** A model that the page can ask, whatever format it came in. */
export interface AnsweringModel {
  readonly label: string;
  /** What kind of model it is, for people. */
  readonly description: string;
  readonly items: readonly string[];
  readonly titles: ReadonlyMap<string, string>;
  /** The k best next items. @param timestampsMs when each item was clicked */
  recommend(items: readonly string[], timestampsMs: readonly number[], k: number): Promise<readonly Suggestion[]>;
  dispose(): void;
}
