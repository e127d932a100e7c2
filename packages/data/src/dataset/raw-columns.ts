/** A column of the log that is carried along with every event, for features. */
export interface RawColumn {
  /** As the log names it. */
  readonly name: string;
  /** How it is read: as a number, as text, or as the weight of an event of that type (`sessions.eventWeights`). */
  readonly kind: 'number' | 'text' | 'weight';
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

/**
 * How much each event counts [T], where the sessions were prepared with `sessions.eventWeights`.
 *
 * @example
 * const columns = { 'weight:event_type': Float64Array.of(1, 5) };
 * weightsOfEvents({ columns }); // → [1, 5]
 */
export function weightsOfEvents({ columns }: { readonly columns?: EventColumns }): Float64Array | undefined {
  const key = Object.keys(columns ?? {}).find((name) => name.startsWith('weight:'));
  return key === undefined ? undefined : columns?.[key];
}

/** Every column made anew by the same function. */
export function mapColumns(
  columns: EventColumns | undefined,
  map: (column: Float64Array, key: string) => Float64Array,
): { columns?: EventColumns } {
  if (!columns) return {};
  return { columns: Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, map(column, key)])) };
}
