import { z } from 'zod';
import { keyOfColumn, type RawColumn } from '../dataset/raw-columns.ts';
import type { Sessions } from '../dataset/sessions.ts';
import type { WindowedDataset } from '../dataset/windowed-dataset.ts';

/** Gives the raw ids and texts behind codes; what is fitted is kept by them, so that it outlives a preparation. */
export type FeatureSource = Pick<WindowedDataset, 'rawItemId' | 'texts'>;

/** Values of events [T]: Int32 for categories, Float32 for numbers. */
export type FeatureColumn = Int32Array | Float32Array;

/** A column that a feature makes. */
export type FeatureOutput =
  | {
      readonly name: string;
      readonly kind: 'category';
      /** Ids are 0 … numValues - 1; 0 is a missing value. It may grow with every fit. */
      readonly numValues: number;
    }
  | { readonly name: string; readonly kind: 'number' };

/**
 * A column (or a few) made of events. It learns from train windows only; `transform` uses what was learned, the event
 * itself and earlier events of its session, never a later one.
 */
export interface Feature {
  outputs(): readonly FeatureOutput[];
  /** Learns from the sessions of one train window. */
  fit?(sessions: Sessions, source: FeatureSource): void;
  /** The train windows of a step have all been seen. */
  finishFit?(): void;
  /** @throws when a needed column is not there, or a value is missing and the rule says so */
  transform(sessions: Sessions, source: FeatureSource): Readonly<Record<string, FeatureColumn>>;
  /** What was learned, as plain JSON. */
  toJSON(): unknown;
  restore(state: unknown): void;
  /** Reads files, where the feature has some. Called once, before everything else, unless the state is restored. */
  load?(): Promise<void>;
}

/** What a feature's file exports: how it is configured, what it reads, and how it is made. */
export interface FeatureSpec<Schema extends z.ZodObject = z.ZodObject> {
  /** Strict: unknown keys are refused. */
  readonly configSchema: Schema;
  /** Columns of the log that it reads. */
  columns(config: z.output<Schema>): readonly RawColumn[];
  /** The columns that it will make, where a made feature knows them only after reading a file. */
  outputsBefore?(config: z.output<Schema>): readonly FeatureOutput[];
  create(config: z.output<Schema>): Feature;
}

/** Keeps the schema's type with the factory. */
export function defineFeature<Schema extends z.ZodObject>(spec: FeatureSpec<Schema>): FeatureSpec<Schema> {
  return spec;
}

/** Name of a feature's column in batches. */
export const outputName = z
  .string()
  .regex(/^[A-Za-z]\w*$/, { error: 'expected a name of letters, digits and underscores, such as log_price' })
  .describe('Name of the column that is made.');

/** @throws when the sessions do not carry the column */
export function columnOf(sessions: Sessions, column: RawColumn, feature: string): Float64Array {
  const values = sessions.columns?.[keyOfColumn(column)];
  if (values) return values;
  const there = Object.keys(sessions.columns ?? {}).join(', ') || 'none';
  throw new Error(
    `${feature}: the sessions do not carry the column '${column.name}' as ${column.kind} (carried: ${there}); prepare them with the features' columns`,
  );
}

/** The text behind every code [T]; undefined where the cell is missing. */
export function textsOf(
  sessions: Sessions,
  name: string,
  source: FeatureSource,
  feature: string,
): (index: number) => string | undefined {
  const codes = columnOf(sessions, { name, kind: 'text' }, feature);
  const texts = source.texts[name] ?? [];
  return (index) => texts[codes[index]];
}

/** @throws when the log has an order but no times */
export function assertTimes(sessions: Sessions, feature: string): void {
  if (!sessions.hasOnlyOrder) return;
  throw new Error(`${feature}: needs times, but the log has an order only (dataset.columns.timestamp is not mapped)`);
}

/** Checks what was saved. @throws when it is not what the feature saves */
export function parseState<Schema extends z.ZodType>(
  schema: Schema,
  state: unknown,
  feature: string,
): z.output<Schema> {
  const result = schema.safeParse(state);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(
    `${feature}: the saved state is damaged: ${issue.path.join('.') || 'it'}: ${issue.message}; fit the features again`,
  );
}
