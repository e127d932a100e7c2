/** A column of the log that is carried along with every event, for features. */
export interface RawColumn {
  /** As the log names it. */
  readonly name: string;
  /** How it is read: as a number, or as text. */
  readonly kind: 'number' | 'text';
}

/** The name of a column in `Sessions.columns`: a column may be carried as text and as numbers. */
export function keyOfColumn({ name, kind }: RawColumn): string {
  return `${kind}:${name}`;
}

/**
 * Columns of events by `keyOfColumn` [T]: numbers, or the codes of texts in `WindowedDataset.texts`; NaN where a cell is
 * missing.
 */
export type EventColumns = Readonly<Record<string, Float64Array>>;

/** Every column made anew by the same function. */
export function mapColumns(
  columns: EventColumns | undefined,
  map: (column: Float64Array, key: string) => Float64Array,
): { columns?: EventColumns } {
  if (!columns) return {};
  return { columns: Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, map(column, key)])) };
}
