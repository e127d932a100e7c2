import type { RawColumn } from '@nimue/data';
import { z } from 'zod';
import { columnSlice, SEEN_PARTS, seenSlice } from './column-slices.ts';
import type { Slice } from './slice.ts';
import * as slices from './slices.ts';

const columnName = z.string().min(1);

/** One entry of `evaluation.slices`: a name, a column of the log, or a column of which new values are told from seen ones. */
export const sliceSchema = z.union(
  [
    z.enum(Object.keys(slices) as [keyof typeof slices]),
    z.strictObject({ column: columnName.describe('A part for each value of this column of the log.') }),
    z.strictObject({
      seen: columnName.describe('Whether training has met the value of this column, such as the user.'),
    }),
  ],
  {
    error: `expected one of ${Object.keys(slices).join(', ')}, { column: <column of the log> } or { seen: <column of the log> }`,
  },
);

export type SliceConfig = z.output<typeof sliceSchema>;

const IN_TRAINING = ' in training';

/** The slice with the name that its table has. */
export function sliceOf(config: SliceConfig): Slice & { readonly name: string } {
  if (typeof config === 'string') return { name: config, ...(slices[config] as Slice) };
  if ('column' in config) return { name: config.column, ...columnSlice(config.column) };
  return { name: `${config.seen}${IN_TRAINING}`, ...seenSlice(config.seen) };
}

/** The parts of a slice by its table's name, in their order; undefined for a column's values. */
export function partsOfSlice(name: string): readonly string[] | undefined {
  if (name.endsWith(IN_TRAINING)) return SEEN_PARTS;
  return Object.entries(slices).find(([own]) => own === name)?.[1].parts;
}

/** Columns of the log that slices look at. */
export function columnsOfSlices(configs: readonly SliceConfig[]): RawColumn[] {
  return configs.flatMap((config) => {
    if (typeof config === 'string') return [];
    return [{ name: 'column' in config ? config.column : config.seen, kind: 'text' as const }];
  });
}

/** Columns whose values in training slices ask for. */
export function watchedColumns(configs: readonly SliceConfig[]): string[] {
  return [
    ...new Set(configs.flatMap((config) => (typeof config !== 'string' && 'seen' in config ? [config.seen] : []))),
  ];
}
