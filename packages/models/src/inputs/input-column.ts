import type { SessionBatch } from '@nimue/batch';

/** A column that batches carry: categories with ids 0 … numValues − 1 (0: missing or hidden), or numbers. */
export type InputColumn =
  | { readonly name: string; readonly kind: 'category'; readonly numValues: number }
  | { readonly name: string; readonly kind: 'number' };

/** Named values of R rows, which are events of a batch or items of the catalogue. */
export interface InputRows {
  readonly numRows: number;
  readonly features: NonNullable<SessionBatch['features']>;
  /** Of events only. */
  readonly offsets?: Int32Array;
  readonly timestampsMs?: Float64Array;
}

/** The values of a column. @throws when the rows do not carry it, or one is not finite */
export function columnOfRows({ features, numRows }: InputRows, name: string): Int32Array | Float32Array {
  const values = features[name];
  if (values?.length === numRows) {
    const wrong = values instanceof Float32Array ? values.findIndex((value) => !Number.isFinite(value)) : -1;
    if (wrong < 0) return values;
    throw new Error(`inputs: the column '${name}' is ${values[wrong]} in row ${wrong}; fill or drop what is missing`);
  }
  const there = Object.keys(features).join(', ') || 'none';
  throw new Error(
    values
      ? `inputs: the column '${name}' has ${values.length} values for ${numRows} rows`
      : `inputs: the batch has no column '${name}' (there: ${there}); make it with the same features as in training`,
  );
}
