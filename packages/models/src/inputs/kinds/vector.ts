import { z } from 'zod';
import { columnOfRows } from '../input-column.ts';
import { columnOptions, defineInputKind, widthOf } from '../input-kind.ts';
import { numbersAsRows } from '../numbers-as-rows.ts';

/** A pretrained vector v, the columns `<column>_0`, `<column>_1` …, as v W + b. */
export const vector = defineInputKind({
  configSchema: z.strictObject({
    kind: z.literal('vector'),
    ...columnOptions,
    size: z.int().min(1).optional().describe('Width of what it becomes.'),
  }),
  reads: 'number',
  columnNames: ({ column }, all) => namesOf(column, all),
  create({ column, size }, { layers, name, width, columns }) {
    const names = namesOf(column, [...columns.keys()]);
    const to = widthOf(size, width, Math.min(32, names.length));
    layers.addLinear(name, names.length, to);
    return {
      size: to,
      apply: (rows) => layers.linear(name, numbersAsRows(names.map((each) => columnOfRows(rows, each)))),
    };
  },
});

function namesOf(column: string, all: readonly string[]): string[] {
  const names: string[] = [];
  for (let d = 0; all.includes(`${column}_${d}`); d++) names.push(`${column}_${d}`);
  return names;
}
