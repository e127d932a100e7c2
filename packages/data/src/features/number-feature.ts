import { z } from 'zod';
import type { Sessions } from '../dataset/sessions.ts';
import { columnOf, type Feature, type FeatureColumn, outputName } from './feature.ts';

/** Options of every feature that is made of one column of numbers. */
export const numberOptions = {
  column: z.string().min(1).describe('Column of the log.'),
  /** Name in the batches. */
  as: outputName.optional(),
  missing: z
    .union([z.enum(['mean', 'error']), z.number()], {
      error: "expected 'mean', 'error', or a number in the column's own unit",
    })
    .default('mean')
    .describe(
      "What stands for a missing value: the `mean` of the feature over the train events (0 without any), a number in the column's own unit, which is then treated like any other, or an `error`.",
    ),
  indicator: z.boolean().default(false).describe('Adds a column `<as>_missing`: 1 where the value is missing, else 0.'),
};

interface NumberOptions {
  readonly column: string;
  readonly missing: 'mean' | 'error' | number;
  readonly indicator: boolean;
}

/** What tells one such feature from another. */
export interface NumberTransform {
  /** Learns from a value of a train event. */
  fit(value: number): void;
  /** Mean of the feature over the train events; 0 without any. */
  mean(): number;
  /** @throws when the value has no result */
  apply(value: number): number;
  toJSON(): unknown;
  restore(state: unknown): void;
}

/** A feature that maps every value of a column, with one rule for missing values. */
export function createNumberFeature(
  name: string,
  as: string,
  { column, missing, indicator }: NumberOptions,
  transform: NumberTransform,
): Feature {
  const numbers = (sessions: Sessions) => columnOf(sessions, { name: column, kind: 'number' }, name);
  return {
    outputs: () => [
      { name: as, kind: 'number' },
      ...(indicator ? [{ name: `${as}_missing`, kind: 'number' as const }] : []),
    ],
    fit(sessions) {
      for (const value of numbers(sessions)) {
        if (Number.isFinite(value)) transform.fit(value);
      }
    },
    transform(sessions) {
      const raw = numbers(sessions);
      const result = new Float32Array(raw.length);
      const absent = new Float32Array(indicator ? raw.length : 0);
      const standIn =
        missing === 'mean' ? transform.mean() : missing === 'error' ? Number.NaN : transform.apply(missing);
      for (let i = 0; i < raw.length; i++) {
        if (Number.isFinite(raw[i])) {
          result[i] = transform.apply(raw[i]);
          continue;
        }
        if (missing === 'error') {
          throw new Error(
            `${name}: column '${column}' is missing in event ${i}; give a rule for it: missing: mean, or a number`,
          );
        }
        result[i] = standIn;
        if (indicator) absent[i] = 1;
      }
      const columns: Record<string, FeatureColumn> = { [as]: result };
      if (indicator) columns[`${as}_missing`] = absent;
      return columns;
    },
    toJSON: () => transform.toJSON(),
    restore: (state) => transform.restore(state),
  };
}
