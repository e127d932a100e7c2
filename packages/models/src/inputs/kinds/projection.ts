import { z } from 'zod';
import { columnOfRows } from '../input-column.ts';
import { columnOptions, defineInputKind, widthOf } from '../input-kind.ts';
import { numbersAsRows } from '../numbers-as-rows.ts';

/** A number x as the vector x w + b. */
export const projection = defineInputKind({
  configSchema: z.strictObject({
    kind: z.literal('projection'),
    ...columnOptions,
    size: z.int().min(1).optional().describe('Width of what it becomes.'),
  }),
  reads: 'number',
  create({ column, size }, { layers, name, width }) {
    const to = widthOf(size, width, 8);
    layers.addLinear(name, 1, to);
    return { size: to, apply: (rows) => layers.linear(name, numbersAsRows([columnOfRows(rows, column)])) };
  },
});
